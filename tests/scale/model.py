"""How many machines for how many clients, and where the first bottleneck lies.

    python3 tests/scale/model.py [NAME=VALUE]...

Each resource of a machine, and of the file server that all machines share, bounds how many clients it can
have; the smallest bound is the bottleneck. A simulation, request by request, asks whether that is so. What
this prints without arguments stands in README.md, and tests/integration/capacity.sh holds it to that.
"""

import heapq
import math
import random
import sys

# On two slow cores that others used too. README.md says how.
MEASURED = {
    "cpu_us": 24.0,              # of a request on its own connection, from a local file
    "connection_kb": 4.0,        # 0.3 httpd, 3.7 the kernel
    "record_kb": 8.0,            # the record's block, and its client's directory
    "ask_cpu_us": 770.0,         # to ask GlusterFS whether a file is still the same: httpd and the mount,
    "ask_volume_us": 1340.0,     # and both bricks
    "transfer_cpu_us": 11700.0,  # of the first download by an id, its record being on GlusterFS,
    "transfer_volume_us": 20000.0,
}
# What a service is like: guesses, to be replaced by its own numbers.
ESTIMATED = {
    "cores": 2.0,
    "memory_gb": 4.0,
    "network_gbit": 10.0,
    "volume_cores": 4.0,       # of the two hosts of a volume together
    "volume_gbit": 20.0,
    "volume_gb": 1000.0,       # for records
    "asks": 1.0,               # share of requests that ask the volume: all, when nothing may ever be old
    "read": 0.5,               # share of bytes that come from the volume and not from memory
    "pause_s": 10.0,           # between two requests of a client that is there
    "answer_kb": 100.0,        # in the mean; some are much larger
    "transfers": 2.0,          # by id, of each client in a day; their records live as long
    "search_rate": 100_000.0,  # requests a second; said of Google: 8.5 milliards a day
    "load": 0.7,               # of a resource, before queues grow
}
DAY_S = 86400


def costs(c):
    """Seconds of each resource that a request takes in the mean, and how many there are of it at a time: of a
    machine, and of a volume of the shared file system. Some requests are the first of a transfer."""
    share = c["transfers"] * c["pause_s"] / DAY_S
    bits = c["answer_kb"] * 1024 * 8
    return {
        "CPU": ((c["cpu_us"] + c["asks"] * c["ask_cpu_us"] + share * c["transfer_cpu_us"]) / 1e6, c["cores"]),
        "network": (bits / (c["network_gbit"] * 1e9), 1),
    }, {
        "CPU": ((c["asks"] * c["ask_volume_us"] + share * c["transfer_volume_us"]) / 1e6, c["volume_cores"]),
        "network": (c["read"] * bits / (c["volume_gbit"] * 1e9), 1),
    }


def bounds(c):
    """Clients that each resource carries: of a machine, and of a volume."""
    machine, volume = ({name: c["load"] * many / seconds * c["pause_s"] for name, (seconds, many) in kind.items()}
                       for kind in costs(c))
    machine["memory"] = c["load"] * c["memory_gb"] * 2**20 / c["connection_kb"]
    volume["disk"] = c["load"] * c["volume_gb"] * 2**20 / (c["record_kb"] * c["transfers"])
    return machine, volume


def simulate(c, rate, requests, seed=1):
    """Requests that come at random to one machine, with answers of very different lengths. Each is served by a
    core, then by the wire. How busy both were, and the time that 99 of 100 were done in."""
    chance = random.Random(seed)
    one = costs(c)[0]
    sigma = 1.5  # of the lengths' logarithm: half the answers are below a third of the mean
    cores = [0.0] * int(one["CPU"][1])
    free = now = 0.0
    busy, times = {"CPU": 0.0, "network": 0.0}, []
    for _ in range(requests):
        now += chance.expovariate(rate)
        cpu = one["CPU"][0]
        wire = one["network"][0] * chance.lognormvariate(-sigma * sigma / 2, sigma)
        done = max(heapq.heappop(cores), now) + cpu
        heapq.heappush(cores, done)
        free = max(free, done) + wire
        times.append(free - now)
        busy["CPU"] += cpu / len(cores)
        busy["network"] += wire
    end = max(now, free)
    times.sort()
    return {name: seconds / end for name, seconds in busy.items()}, times[len(times) * 99 // 100], requests / end


def machines(clients, limit):
    return max(2, math.ceil(clients / limit) + 1)


def check(c, limit, expected):
    """As loaded as the formula allows, and with half more than there is of the bottleneck."""
    rate = limit / c["pause_s"]
    shares, slow, _ = simulate(c, rate, 200_000)
    over, _, served = simulate(c, 1.5 * rate / c["load"], 200_000)
    print(f"simulated, {rate:,.0f} requests/s: CPU {shares['CPU']:.0%}, network {shares['network']:.0%} busy, "
          f"99 of 100 done in {1000 * slow:.1f} ms")
    print(f"simulated, {1.5 * rate / c['load']:,.0f} requests/s: CPU {over['CPU']:.0%}, network "
          f"{over['network']:.0%} busy, {served:,.0f} served")
    return (max(shares, key=shares.get) == expected and abs(shares[expected] - c["load"]) < 0.05 and slow < 0.5 and
            over[expected] > 0.97 and abs(served / (rate / c["load"]) - 1) < 0.05)


def show(c):
    """Bounds, machines and volumes, and whether the simulation agrees."""
    kinds = dict(zip(("machine", "volume"), bounds(c)))
    for kind, limits in kinds.items():
        print(f"{kind:8}" + ", ".join(f"{name} {clients:,.0f}" for name, clients in
                                      sorted(limits.items(), key=lambda item: item[1])))
    machine, volume = kinds["machine"], kinds["volume"]
    first, behind = min(machine, key=machine.get), min(volume, key=volume.get)
    kind = "machine" if machine[first] <= volume[behind] else "volume"
    print(f"first bottleneck: {min(kinds[kind], key=kinds[kind].get)} of a {kind}")
    rows = [(f"{n:,} clients", n) for n in (10**4, 10**6, 10**8)]
    rows.append((f"{c['search_rate']:,.0f} requests/s", c["search_rate"] * c["pause_s"]))
    for what, clients in rows:
        print(f"{what:>20}: {machines(clients, machine[first]):6,} machines, {math.ceil(clients / volume[behind]):5,} volumes")
    # Memory is no queue: what the simulation can contradict is which of the two others is the first.
    flow = min(("CPU", "network"), key=machine.get)
    good = check(c, machine[flow], flow)
    print("the simulation " + ("bears the formula out" if good else "CONTRADICTS the formula"))
    return good


def main():
    c = {**MEASURED, **ESTIMATED}
    for argument in sys.argv[1:]:
        name, value = argument.split("=")
        if name not in c:
            sys.exit(f"{name}: one of {' '.join(c)}")
        c[name] = float(value)
    print("clients, when each request asks the volume, so that nothing is ever old")
    strict = show(c)
    print("\nclients, when a host may believe for a second what it was told: one request of a hundred asks")
    loose = show({**c, "asks": c["asks"] / 100})
    return 0 if strict and loose else 1


sys.exit(main())
