// Uploads through a proxy that cuts connections, to a server that is killed with SIGKILL at times.
// After each cut the offset that the server tells is held against the bytes that it has on disk.
import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import crypto from 'node:crypto'
import fs from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import os from 'node:os'

const out = process.argv[2]
const tus = createRequire(path.join(out, 'node_modules', 'x.js'))('tus-js-client')
const uploads = Number(process.env.UPLOADS || 10)
const size = Number(process.env.SIZE || 4000000)
const work = fs.mkdtempSync(path.join(os.tmpdir(), 'httpd-resume.'))
const root = path.join(work, 'root')
fs.mkdirSync(path.join(root, 'in'), { recursive: true })

const modes = [
    { name: 'tus-v1', options: { protocol: 'tus-v1' } },
    { name: 'tus-v1, data with the creation', options: { protocol: 'tus-v1', uploadDataDuringCreation: true } },
    { name: 'tus-v1, parallelUploads: 2', options: { protocol: 'tus-v1', parallelUploads: 2 } },
    { name: 'ietf-draft-03', options: { protocol: 'ietf-draft-03' } },
    { name: 'ietf-draft-05', options: { protocol: 'ietf-draft-05' } },
    { name: 'tus-v1, chunks', options: { protocol: 'tus-v1', chunkSize: 500000 } },
]

let number = 0
let failed = 0
function ok(good, what) {
    number++
    if (!good) failed++
    console.log(`${good ? 'ok' : 'not ok'} ${number} - ${what}`)
}

// ---- the server ------------------------------------------------------------------------------------

let server, port = 0, kills = 0
function start() {
    return new Promise((resolve, reject) => {
        const child = spawn(process.env.HTTPD, ['-p', String(port), '-r', root, '-l', '/dev/null'], { stdio: ['ignore', 'ignore', 'pipe'] })
        let said = ''
        child.stderr.on('data', (data) => {
            said += data
            const found = /http:\/\/127\.0\.0\.1:(\d+)\//.exec(said)
            if (found) {
                port = Number(found[1])
                resolve()
            }
        })
        child.on('exit', (code) => { if (code !== null) reject(new Error(said)) })
        server = child
    })
}
async function kill() {
    kills++
    const gone = new Promise((resolve) => server.once('close', resolve))
    server.kill('SIGKILL')
    await gone
    await start()
}

// ---- the proxy: passes so many bytes, then cuts ----------------------------------------------------

let cutAfter = Infinity, cuts = 0, onCut = null
const proxy = net.createServer((client) => {
    const upstream = net.connect(port, '127.0.0.1')
    const end = () => { client.destroy(); upstream.destroy() }
    client.on('data', (data) => {
        cutAfter -= data.length
        if (cutAfter < 0) {
            cutAfter = Infinity
            cuts++
            // In order, with a reset, or not at all: then the server still holds the upload.
            const how = cuts % 3
            if (how === 0) upstream.end(data.subarray(0, data.length / 2))
            else if (how === 1) upstream.resetAndDestroy()
            else { upstream.write(data.subarray(0, data.length / 2)); setTimeout(() => upstream.destroy(), 20000).unref() }
            client.resetAndDestroy()
            if (onCut) onCut()
            return
        }
        if (!upstream.write(data)) {
            client.pause()
            upstream.once('drain', () => client.resume())
        }
    })
    upstream.on('data', (data) => client.write(data))
    client.on('end', () => upstream.end())
    upstream.on('end', () => client.end())
    client.on('error', end)
    upstream.on('error', end)
})
await new Promise((resolve) => proxy.listen(0, '127.0.0.1', resolve))
const proxyPort = proxy.address().port

// ---- one upload ------------------------------------------------------------------------------------

// An offset that was told must be on the disk already: staged, or published.
function onDisk() {
    let most = 0
    for (const name of fs.readdirSync(path.join(root, '.httpd', 'uploads')))
        try { most = Math.max(most, fs.statSync(path.join(root, '.httpd', 'uploads', name)).size) } catch { }
    for (const name of fs.readdirSync(path.join(root, 'in')))
        try { most = Math.max(most, fs.statSync(path.join(root, 'in', name)).size) } catch { }
    return most
}

async function upload(index, mode, bytes, dies) {
    const name = `file ${index}.bin`
    let rest = 3, overclaims = 0, killing = null
    const arm = () => { cutAfter = rest-- > 0 ? Math.floor(Math.random() * bytes.length * 0.6) : Infinity }
    onCut = () => {
        if (dies && !killing) killing = kill()
        arm()
    }
    arm()
    await new Promise((resolve, reject) => {
        const u = new tus.Upload(bytes, {
            endpoint: `http://127.0.0.1:${proxyPort}/in/`,
            retryDelays: Array(40).fill(100),
            metadata: { filename: name, filetype: 'application/octet-stream' },
            ...mode.options,
            onAfterResponse: (request, response) => {
                const offset = Number(response.getHeader('Upload-Offset') || 0)
                if (request.getMethod() === 'HEAD' && offset > onDisk()) overclaims++
            },
            onError: reject,
            onSuccess: resolve,
        })
        u.start()
    })
    if (killing) await killing
    const file = path.join(root, 'in', name)
    const same = fs.existsSync(file) && crypto.createHash('sha256').update(fs.readFileSync(file)).digest('hex') === crypto.createHash('sha256').update(bytes).digest('hex')
    const others = fs.readdirSync(path.join(root, 'in')).filter((n) => n !== name && n.startsWith(`file ${index}`))
    fs.rmSync(file, { force: true })
    return { same, overclaims, others }
}

await start()
try {
    for (let i = 0; i < uploads; i++) {
        const mode = modes[i % modes.length]
        const dies = i % 10 === 9 || i % 10 === 3
        try {
            const { same, overclaims, others } = await upload(i, mode, crypto.randomBytes(size), dies)
            ok(same && overclaims === 0 && others.length === 0, `${mode.name}${dies ? ', server killed' : ''}: the file is identical, no offset above what is on disk${others.length ? ` (also: ${others})` : ''}`)
        } catch (error) {
            ok(false, `${mode.name}: ${String(error).split('\n')[0]}`)
        }
    }
    console.log(`# ${uploads} uploads of ${size} bytes, ${cuts} cuts, ${kills} kills`)
} finally {
    server.kill('SIGKILL')
    proxy.close()
    fs.rmSync(work, { recursive: true, force: true })
}
console.log(`1..${number}`)
process.exit(failed ? 1 : 0)
