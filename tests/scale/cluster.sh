# shellcheck shell=bash
# Sourced by tests/scale/run in its own namespaces: a GlusterFS volume of two replicas and two mounts of
# it, as two hosts would have. Nothing of it is seen outside, and all of it goes with the last process.

certificate() { # certificate DIRECTORY : for who is in front
    openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout "$1/key" \
        -out "$1/certificate" 2>/dev/null
    cat "$1/key" >>"$1/certificate"
}

cluster_up() { # cluster_up DIRECTORY : sets MOUNT_ONE, MOUNT_TWO
    local directory=$1 place
    ip link set lo up
    # glusterd refuses to serve from a loopback address, but not from another one of the same device.
    ip addr add 10.77.0.1/32 dev lo
    mount --make-rprivate /
    for place in /var/lib/glusterd /var/log/glusterfs /run; do
        mkdir -p "$place" && mount -t tmpfs tmpfs "$place" || return 1
    done
    mkdir -p /run/gluster /run/lock "$directory/bricks" "$directory/one" "$directory/two"
    mount -t tmpfs -o "size=${SCALE_DISK:-3g}" tmpfs "$directory/bricks" || return 1
    mkdir "$directory/bricks/one" "$directory/bricks/two"
    glusterd || return 1
    for _ in {1..100}; do gluster volume list >/dev/null 2>&1 && break; sleep 0.1; done
    gluster --mode=script volume create shared replica 2 \
        10.77.0.1:"$directory/bricks/one" 10.77.0.1:"$directory/bricks/two" force || return 1
    # What one host wrote, the other must read: no layer may keep it back or serve it from memory. The last
    # two keep a file from staying locked for a second after a write for the sake of the next one.
    local option
    for option in performance.write-behind performance.quick-read performance.io-cache \
        performance.read-ahead performance.open-behind performance.stat-prefetch \
        performance.readdir-ahead cluster.eager-lock; do
        gluster volume set shared "$option" off || return 1
    done
    gluster volume set shared cluster.post-op-delay-secs 0 || return 1
    # A process that is killed interrupts what its threads wait for. Each lock among it then holds up one of
    # these, and when none is left the mount hangs for good (gluster/glusterfs#4371). There are two by default.
    gluster volume set shared client.event-threads 32 || return 1
    gluster volume start shared || return 1
    # Nor may the kernel: direct-io-mode for bytes, the others for names and sizes.
    for place in one two; do
        mount -t glusterfs -o entry-timeout=0,attribute-timeout=0,negative-timeout=0,direct-io-mode=enable \
            10.77.0.1:/shared "$directory/$place" || return 1
    done
    MOUNT_ONE=$directory/one MOUNT_TWO=$directory/two
}
