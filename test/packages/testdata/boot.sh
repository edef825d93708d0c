# Becomes the first process of a small machine that is a whole Debian, in namespaces that it was started in; nothing of it
# outlives it but what it writes below $1. Nothing in it listens but on Unix sockets.
#
# $1 is the root of that Debian, $2 is a control group for all that will run, $3 is systemd.
set -e
mount --make-rprivate /
echo $$ >"$2/cgroup.procs"
mount --bind "$1" "$1"
cd "$1"
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=1777 tmpfs tmp
mount -t tmpfs -o mode=755 tmpfs dev
mkdir -p dev/shm dev/pts dev/mqueue run/old
cp -a /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty /dev/ptmx dev/
ln -s /proc/self/fd dev/fd

mkdir -p run/systemd/system/service.d # there is no journal
printf '[Service]\nStandardOutput=append:/run/services\nStandardError=append:/run/services\n' >run/systemd/system/service.d/log.conf
for unit in systemd-journald.service systemd-journald.socket systemd-journald-dev-log.socket systemd-journald-audit.socket \
	systemd-udevd.service systemd-udevd-kernel.socket systemd-udevd-control.socket getty@.service console-getty.service; do
	ln -s /dev/null run/systemd/system/$unit
done

export container=other
exec unshare --cgroup sh -ec '
	mount -t cgroup2 cgroup2 sys/fs/cgroup
	pivot_root . run/old
	umount -l run/old
	rmdir run/old
	mount --make-rshared /
	exec "$0" --system --unit=multi-user.target --show-status=0' "$3"
