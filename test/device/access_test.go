package device

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"kbus.example/kbus/internal/file"
	"kbus.example/kbus/message"
)

func as(uid, gid uint32) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: gid, NoSetGroups: true}}
}

// Who may use a device is who may read and write it, as the settings say, and chmod and chown.
func TestPermissions(t *testing.T) {
	d := start(t, "--device-mode", "0660", "--device-group", "1234")
	nobody, member := cast(t, "opener", as(65534, 65534)), cast(t, "opener", as(65534, 1234))
	try := func(who *actor, want unix.Errno) {
		t.Helper()
		if got := unix.Errno(who.ask("open %s", d.path(0))); got != want {
			t.Errorf("got %v, want %v", got, want)
		}
	}
	try(nobody, unix.EACCES)
	try(member, 0)
	must(t, os.Chmod(d.path(0), 0o666))
	try(nobody, 0)
	must(t, os.Chmod(d.path(0), 0o600))
	try(member, unix.EACCES)
	must(t, os.Chown(d.path(0), 65534, -1))
	try(member, 0)
	info, err := os.Stat(d.path(0))
	must(t, err)
	if s := info.Sys().(*syscall.Stat_t); info.Mode().Perm() != 0o600 || s.Uid != 65534 || s.Gid != 1234 {
		t.Errorf("%v of %d:%d", info.Mode(), s.Uid, s.Gid)
	}
}

// The reports of a bus stand beside its device. They are of everybody, through device and socket, and whoever looks at
// them changes nothing.
func TestReports(t *testing.T) {
	needFUSE(t)
	d := start(t)
	k, s := d.rw(), d.socket(false)
	ok(t, k.Bind("$.Lamp", 1))
	must(t, s.Bind(t.Context(), "$.*", 0))
	_, errno := k.Write([]byte("Kbus"))
	ok(t, errno)
	text := func(name string) string {
		b, err := os.ReadFile(filepath.Join(d.dir, "bus0", name))
		must(t, err)
		return string(b)
	}
	want := "# <device> is bound to <Ksock-ID> in <process-PID> as <Replier|Listener> for <message-name>\n" +
		fmt.Sprintf("%3d: %8d %8d  L  $.*\n", 0, 2, os.Getpid()) + fmt.Sprintf("%3d: %8d %8d  R  $.Lamp\n", 0, 1, os.Getpid())
	if got := text("bindings"); got != want {
		t.Errorf("bindings:\n%s\nwant\n%s", got, want)
	}
	stats := text("stats")
	for _, line := range []string{
		"dev  0: next ksock 3 next msg 0 unsent unbindings 0\n    ksock 2 last msg 0:0 queue 0 of 100\n",
		"    ksock 1 last msg 0:0 queue 0 of 100\n      read byte 0 of 0, wrote byte 4 of HDR (not finished), not sending\n",
	} {
		if !strings.Contains(stats, line) {
			t.Errorf("stats:\n%s\nlack\n%s", stats, line)
		}
	}
	report, err := unix.Open(filepath.Join(d.dir, "bus0", "bindings"), unix.O_RDONLY, 0)
	must(t, err)
	defer unix.Close(report)
	var b [7]byte
	n, err := unix.Pread(report, b[:], 3)
	if string(b[:n]) != want[3:10] || err != nil {
		t.Errorf("%q, %v", b[:n], err)
	}
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(report), file.IoctlReset, 0); errno != unix.ENOTTY {
		t.Errorf("ioctl: %v", errno)
	}
	if err := os.Remove(filepath.Join(d.dir, "bus0", "bindings")); err == nil {
		t.Error("removed")
	}
	if err := os.Chmod(filepath.Join(d.dir, "bus0", "stats"), 0o600); err == nil {
		t.Error("changed")
	}
}

// A program that looks what it opens can be told what it wants to hear.
func TestStatAsDevice(t *testing.T) {
	needFUSE(t)
	d := start(t, "--stat-as-device")
	plain := start(t)
	for range 100 { // it depends on what the caller does at the moment
		k := d.open(unix.O_RDWR)
		var s unix.Stat_t
		must(t, unix.Stat(d.path(0), &s))
		if s.Mode != unix.S_IFCHR|0o666 {
			t.Fatalf("mode %o", s.Mode)
		}
		ok(t, k.Bind("$.Stat", 1))
		var x unix.Statx_t
		must(t, unix.Statx(unix.AT_FDCWD, d.path(0), 0, unix.STATX_TYPE, &x))
		if x.Mode&unix.S_IFMT != unix.S_IFCHR {
			t.Fatalf("mode %o", x.Mode)
		}
		ok(t, k.Unbind("$.Stat", 1))
		k.Close()
	}
	var s unix.Stat_t
	must(t, unix.Stat(plain.path(0), &s))
	if s.Mode != unix.S_IFREG|0o666 {
		t.Errorf("without the option: mode %o", s.Mode)
	}
}

// One descriptor too many, and one byte too many, are refused to whoever asks for them, and it is so until they are
// given back.
func TestLimits(t *testing.T) {
	d := tempDir(t)
	settings := filepath.Join(d, "kbusd.toml")
	must(t, os.WriteFile(settings, []byte(`
limits.user-connections = 3
limits.user-buffer-bytes = 5000
limits.user-bindings = 1
limits.user-queue-bytes = 4000
`), 0o600))
	b := startIn(t, d, "--config", settings)
	k, other, third := b.rw(), b.rw(), b.open(unix.O_RDWR)
	_, err := unix.Open(b.path(0), unix.O_RDWR, 0)
	if err != unix.EDQUOT {
		t.Errorf("a fourth: %v", err)
	}
	third.Close()
	b.open(unix.O_RDWR).Close()

	ok(t, k.Bind("$.Limit", 0))
	want(t, k.Bind("$.More", 0), unix.EDQUOT)

	long := message.AppendEntire(nil, &message.Header{}, []byte("$.Limit"), make([]byte, 2800))
	for range 2 { // the second time after it was given back
		_, errno := k.Write(long)
		ok(t, errno)
		_, errno = other.Write(long)
		want(t, errno, unix.ENOMEM)
		k.Ioctl(file.IoctlDiscard, nil)
	}
	_, errno := other.Write(long)
	ok(t, errno)
	_, errno = other.ID(file.IoctlSend)
	ok(t, errno)
	waits := message.AppendEntire(nil, &message.Header{Flags: message.AllOrWait}, []byte("$.Limit"), make([]byte, 2800))
	_, errno = other.Write(waits)
	ok(t, errno)
	_, errno = other.ID(file.IoctlSend)
	want(t, errno, unix.EDQUOT) // queued bytes: its user cannot be charged for a message that waits

	_, errno = other.Write(long)
	ok(t, errno)
	_, _, errno = k.Next()
	want(t, errno, unix.ENOMEM) // there is no room to read it into, and it stays where it is
	other.Ioctl(file.IoctlDiscard, nil)
	if m, some, errno := k.Receive(); !some || errno != 0 || len(m.Data) != 2800 {
		t.Errorf("%v, %v, %d bytes", some, errno, len(m.Data))
	}
	b.stop()
	for _, limit := range []string{"user-connections", "user-bindings", "user-buffer-bytes", "user-queue-bytes"} {
		if !strings.Contains(b.log.String(), "limit="+limit) {
			t.Errorf("the log does not name %s", limit)
		}
	}
}

// Who may not make devices is told so.
func TestNotRoot(t *testing.T) {
	d := command(t, tempDir(t))
	must(t, os.Chmod(d.dir, 0o777))
	if built != "" {
		must(t, os.Chmod(built, 0o755))
	}
	d.process.SysProcAttr = as(65534, 65534)
	refused(t, d, "devices need root")
}
