"""How many machines for how many clients, and where the first bottleneck lies.

    python3 tests/scale/model.py [NAME=VALUE]...

Each resource of a machine bounds how many clients it can have; the smallest bound is the bottleneck. A
simulation of the same machine, request by request, checks the bound that the formula gives.
"""

import heapq
import math
import random
import sys

MEASURED = {
    "cpu_us": 24.0,           # of a request with its own connection
    "cores": 2.0,
    "connection_kb": 5.0,     # httpd's place and the kernel's socket
    "memory_gb": 4.0,
    "network_gbit": 10.0,
    "answer_kb": 100.0,
    "pause_s": 10.0,          # between two requests of a client
    "record_kb": 4.0,         # on disk, for a day
    "disk_gb": 1000.0,
    "transfers": 1.0,         # of a client in a day
    "load": 0.7,              # of a resource, before queues grow
}


def bounds(c):
    """Clients that each resource of one machine carries."""
    return {
        "CPU": c["load"] * c["cores"] * 1e6 / c["cpu_us"] * c["pause_s"],
        "network": c["load"] * c["network_gbit"] * 1e9 / 8 / (c["answer_kb"] * 1024) * c["pause_s"],
        "memory": c["load"] * c["memory_gb"] * 2**20 / c["connection_kb"],
        "disk for records": c["load"] * c["disk_gb"] * 2**20 / (c["record_kb"] * c["transfers"]),
    }


def simulate(c, clients, seconds, seed=1):
    """Requests that come at random, each served by a core and then by the network, one after the other.
    The busy share of each, and the time that 99 of 100 are done in."""
    chance = random.Random(seed)
    cpu, wire = c["cpu_us"] / 1e6, c["answer_kb"] * 1024 * 8 / (c["network_gbit"] * 1e9)
    cores = [0.0] * int(c["cores"])
    heapq.heapify(cores)
    free, now, times, busy = 0.0, 0.0, [], [0.0, 0.0]
    while now < seconds:
        now += chance.expovariate(clients / c["pause_s"])
        done = max(heapq.heappop(cores), now) + cpu
        heapq.heappush(cores, done)
        free = max(free, done) + wire
        times.append(free - now)
        busy[0] += cpu / len(cores)
        busy[1] += wire
    times.sort()
    return {"CPU": busy[0] / now, "network": busy[1] / now}, times[len(times) * 99 // 100]


def main():
    c = dict(MEASURED)
    for argument in sys.argv[1:]:
        name, value = argument.split("=")
        c[name] = type(c[name])(value)
    limits = bounds(c)
    first = min(limits, key=limits.get)
    for name, clients in sorted(limits.items(), key=lambda item: item[1]):
        print(f"{name:18} carries {clients:14,.0f} clients")
    print(f"first bottleneck: {first}")
    for clients in (10**4, 10**6, 10**8):
        print(f"{clients:14,} clients: {max(2, math.ceil(clients / limits[first]) + 1):6,} machines, one of them spare")
    # Said of Google: some 100,000 searches a second.
    rate = 100_000
    print(f"{rate:14,} requests/s: {max(2, math.ceil(rate * c['pause_s'] / limits[first]) + 1):6,} machines")
    clients = min(limits["CPU"], limits["network"])
    shares, slow = simulate(c, clients, 3e5 / (clients / c["pause_s"]))
    busiest = max(shares, key=shares.get)
    expected = min(("CPU", "network"), key=limits.get)
    good = busiest == expected and abs(shares[busiest] - c["load"]) < 0.03 and slow < 0.1
    print(f"simulation of 300,000 requests: CPU {shares['CPU']:.0%}, network {shares['network']:.0%} busy, "
          f"99 of 100 done in {1000 * slow:.2f} ms: {'as' if good else 'NOT as'} the formula says")
    return 0 if good else 1


sys.exit(main())
