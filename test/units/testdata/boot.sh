# Becomes the first process of a small machine, in namespaces that it was started in: /run, /tmp and /var are empty, /etc
# is a copy, nothing else can be written, and there are no units but ours and the targets that these name.
#
# $1 is where `make install` put everything, with the prefix /opt/kbus, and what a test has added; $2 is a control group for all that will run,
# $3 is systemd.
set -e
mount --make-rprivate /
mount -t proc proc /proc
echo $$ >"$2/cgroup.procs"

mount -t tmpfs -o mode=755 tmpfs /opt
mount -t tmpfs -o mode=755 tmpfs /run
cp -r "$1/opt/kbus" /opt/
mkdir /run/etc
cp -a /etc/. /run/etc/
rm -rf /run/etc/systemd/system /run/etc/kbus
cp -r "$1/etc/." /run/etc/
mount --bind /run/etc /etc
mount -t tmpfs -o mode=755 tmpfs /var
mount -t tmpfs -o mode=1777 tmpfs /tmp
mkdir -m 1777 /var/tmp

mkdir -p /run/dev/shm /run/dev/pts /run/dev/mqueue
cp -a /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty /dev/ptmx /run/dev
[ ! -e /dev/fuse ] || cp -a /dev/fuse /run/dev
mount --rbind /run/dev /dev

mkdir -p /etc/systemd/system
cp -r /opt/kbus/lib/systemd/system/. /etc/systemd/system
for target in sysinit basic sockets shutdown multi-user network-online; do
	printf '[Unit]\nDescription=%s\nDefaultDependencies=no\n' $target >/etc/systemd/system/$target.target
done
mkdir -p /etc/systemd/system/service.d # there is no journal
printf '[Service]\nStandardOutput=append:/run/log\nStandardError=append:/run/log\n' >/etc/systemd/system/service.d/log.conf
systemd-sysusers /opt/kbus/lib/sysusers.d/kbus.conf

export SYSTEMD_UNIT_PATH=/etc/systemd/system SYSTEMD_GENERATOR_PATH=/none SYSTEMD_ENVIRONMENT_GENERATOR_PATH=/none
export container=other
exec unshare --cgroup sh -ec '
	mount -o remount,bind,ro /
	mount -o remount,bind,ro /sys
	mount -t cgroup2 cgroup2 /sys/fs/cgroup
	mount --make-rshared / # what systemd mounts for a service in a process of its own, the service sees
	exec "$0" --system --unit=basic.target --show-status=0' "$3"
