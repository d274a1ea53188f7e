// Uploads with tus-js-client, curl and httpclient through a proxy that cuts connections, to a server that is killed with SIGKILL at times.
// With NET, a network made by tests/resume/net, the server is behind a link that goes down now and then: it never hears
// of the end of a connection then, and the client comes back from another address. Without, NO_NET says why.
// After each cut the offset that the server tells is held against the bytes that it has on disk.
import { execFile, execFileSync, spawn } from 'node:child_process'
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

const network = process.env.NET
const host = network ? '10.78.0.1' : '127.0.0.1'
const net_tool = path.join(path.dirname(process.argv[1]), 'net')

const modes = [
    { name: 'tus-v1', options: { protocol: 'tus-v1' } },
    { name: 'tus-v1, data with the creation', options: { protocol: 'tus-v1', uploadDataDuringCreation: true } },
    { name: 'tus-v1, parallelUploads: 2', options: { protocol: 'tus-v1', parallelUploads: 2 } },
    { name: 'ietf-draft-03', options: { protocol: 'ietf-draft-03' } },
    { name: 'ietf-draft-05', options: { protocol: 'ietf-draft-05' } },
    { name: 'tus-v1, chunks', options: { protocol: 'tus-v1', chunkSize: 500000 } },
    { name: 'httpclient --resume', by: withHttpclient },
    { name: 'curl -C N -T', by: withCurl },
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
        const command = [process.env.HTTPD, '-b', host, '-p', String(port), '--public-writes', '-r', root, '-l', '/dev/null']
        if (network) command.unshift('ip', 'netns', 'exec', `${network}-s`)
        const child = spawn(command[0], command.slice(1), { stdio: ['ignore', 'ignore', 'pipe'] })
        let said = ''
        child.stderr.on('data', (data) => {
            said += data
            const found = /http:\/\/(127\.0\.0\.1|10\.78\.0\.1):(\d+)\//.exec(said)
            if (found) {
                port = Number(found[2])
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

let cutAfter = Infinity, cuts = 0, outages = 0, onCut = null, victim = null
const pairs = new Set()

// Nothing gets through, and what is said meanwhile is lost. All who were connected learn of it in the end, but not the server.
function outage() {
    outages++
    execFileSync(net_tool, ['down', network])
    const lost = [...pairs]
    for (const { upstream } of lost) upstream.resetAndDestroy()
    setTimeout(() => {
        execFileSync(net_tool, ['up', network, `10.78.${2 + (outages >> 7)}.${1 + (outages & 127)}`])
        for (const { client } of lost) client.resetAndDestroy()
    }, Math.random() * 1000)
}

const proxy = net.createServer((client) => {
    const upstream = net.connect(port, host)
    const pair = { client, upstream }
    const end = () => { client.destroy(); upstream.destroy() }
    pairs.add(pair)
    client.on('close', () => pairs.delete(pair))
    client.on('data', (data) => {
        cutAfter -= data.length
        if (cutAfter < 0) {
            cutAfter = Infinity
            cuts++
            // In order, with a reset, or not at all, by the proxy or the link: then the server still holds the upload.
            const how = cuts % (network ? 4 : 3)
            if (how === 3) {
                upstream.write(data.subarray(0, data.length / 2))
                outage()
                if (onCut) onCut()
                return
            }
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

// Runs a program; its exit code, -1 for a signal, and what it printed.
function run(program, args, started) {
    return new Promise((resolve) => {
        const child = execFile(program, args, (error, output) => resolve({ code: error ? error.code ?? -1 : 0, output }))
        if (started) started(child)
    })
}

// One run goes on through all cuts by itself; every other time it is killed at the first, and run again.
async function withHttpclient(index, name, source) {
    const args = ['-h', `127.0.0.1:${proxyPort}`, 'PUT', `/in/${encodeURIComponent(name)}`, '--resume', '-d', '@' + source]
    let child = null
    victim = Math.floor(index / modes.length) % 2 === 0 ? () => child.kill('SIGKILL') : null
    let { code } = await run(process.env.HTTPCLIENT, args, (c) => { child = c })
    victim = null
    if (code === -1) ({ code } = await run(process.env.HTTPCLIENT, args))
    if (code !== 0) throw new Error(`httpclient: exit code ${code}`)
    const left = fs.readdirSync(work).filter((n) => n.startsWith(path.basename(source) + '.'))
    if (left.length) throw new Error(`httpclient left ${left}`)
}

async function withCurl(index, name, source) {
    const base = `http://127.0.0.1:${proxyPort}`
    let id = ''
    while (!id) // the link may still be down
        ({ output: id } = await run('curl', ['-sS', '--retry', '20', '--retry-all-errors', '--retry-delay', '1', `http://${host}:${port}/.uuid`]))
    const url = `${base}/${id}/in/${encodeURIComponent(name)}`
    for (let tries = 0; tries < 40; tries++) {
        const { output } = await run('curl', ['-sSI', '--max-time', '20', url])
        const offset = /^upload-offset: (\d+)/im.exec(output)?.[1] ?? '0'
        if (/^upload-complete: \?1/im.test(output)) return
        if (Number(offset) > onDisk()) throw new Error(`offset ${offset} is above what is on disk`)
        const rest = Number(offset) > 0 ? ['-C', offset] : []
        const { code } = await run('curl', ['-sSf', '--max-time', '60', ...rest, '-T', source, '-o', '/dev/null', url])
        if (code !== 0) await new Promise((resolve) => setTimeout(resolve, 100))
    }
    throw new Error('curl: not done after 40 tries')
}

function withTus(mode, name, bytes, overclaimed) {
    return new Promise((resolve, reject) => {
        const u = new tus.Upload(bytes, {
            endpoint: `http://127.0.0.1:${proxyPort}/in/`,
            retryDelays: Array(40).fill(100),
            metadata: { filename: name, filetype: 'application/octet-stream' },
            ...mode.options,
            onAfterResponse: (request, response) => {
                const offset = Number(response.getHeader('Upload-Offset') || 0)
                if (request.getMethod() === 'HEAD' && offset > onDisk()) overclaimed()
            },
            onError: reject,
            onSuccess: resolve,
        })
        u.start()
    })
}

async function upload(index, mode, bytes, dies) {
    const name = `file ${index}.bin`
    let rest = 3, overclaims = 0, killing = null
    const arm = () => { cutAfter = rest-- > 0 ? Math.floor(Math.random() * bytes.length * 0.6) : Infinity }
    onCut = () => {
        if (victim) victim()
        if (dies && !killing) killing = kill()
        arm()
    }
    arm()
    const source = path.join(work, 'source')
    if (mode.by) fs.writeFileSync(source, bytes)
    await (mode.by ? mode.by(index, name, source) : withTus(mode, name, bytes, () => { overclaims++ }))
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
        // Of ten uploads two, and in time of every kind.
        const tenth = (i + Math.floor(i / 10)) % 10
        const dies = tenth === 9 || tenth === 3
        try {
            const { same, overclaims, others } = await upload(i, mode, crypto.randomBytes(size), dies)
            ok(same && overclaims === 0 && others.length === 0, `${mode.name}${dies ? ', server killed' : ''}: the file is identical, no offset above what is on disk${others.length ? ` (also: ${others})` : ''}`)
        } catch (error) {
            ok(false, `${mode.name}: ${String(error).split('\n')[0]}`)
        }
    }
    console.log(`# ${uploads} uploads of ${size} bytes, ${cuts} cuts, ${outages} of them by the link, ${kills} kills`)
    number++
    console.log(`ok ${number} - links that are cut${network ? '' : ` # SKIP ${process.env.NO_NET}`}`)
} finally {
    server.kill('SIGKILL')
    proxy.close()
    fs.rmSync(work, { recursive: true, force: true })
}
console.log(`1..${number}`)
process.exit(failed ? 1 : 0)
