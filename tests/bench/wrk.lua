-- What wrk asks and how it reports. `-- many N` asks for N different files in turn.
-- One line of JSON at the end, marked so that `run` finds it among wrk's own lines.

local many = 0

function init(args)
    if args[1] == "many" then
        many = tonumber(args[2])
        local made = {}
        for i = 0, many - 1 do
            -- A fixed stride that shares no factor with N: every file once per turn, not in order.
            made[i] = wrk.format("GET", string.format("/many/%05d", (i * 7919) % many))
        end
        local at = 0
        request = function()
            at = (at + 1) % many
            return made[at]
        end
    end
end

function done(summary, latency, requests)
    io.write(string.format(
        'BENCH {"requests": %d, "seconds": %.6f, "bytes": %d, "errors": %d, "refused": %d, ' ..
        '"p50": %.1f, "p99": %.1f}\n',
        summary.requests, summary.duration / 1e6, summary.bytes,
        summary.errors.connect + summary.errors.read + summary.errors.write +
        summary.errors.timeout, summary.errors.status,
        latency:percentile(50), latency:percentile(99)))
end
