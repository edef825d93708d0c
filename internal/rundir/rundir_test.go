package rundir

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// asUser is for what root is told at once: the system's directory.
func asUser(t *testing.T, dir string) (want string) {
	t.Setenv("KBUS_DIR", "")
	t.Setenv("XDG_RUNTIME_DIR", dir)
	if os.Getuid() == 0 {
		return systemDir
	}
	return filepath.Join(dir, "kbus")
}

// Daemon and client find the same place by what is set.
func TestBothFindTheSame(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "kbus"), 0o700); err != nil {
		t.Fatal(err)
	}
	want := asUser(t, dir)
	if got, err := OfDaemon(); got != want || err != nil {
		t.Errorf("the daemon goes to %q, %v; want %q", got, err, want)
	}
	if got := OfClient(); got != want {
		t.Errorf("a client goes to %q; want %q", got, want)
	}
	t.Setenv("KBUS_DIR", "/somewhere")
	if got, err := OfDaemon(); got != "/somewhere" || err != nil {
		t.Errorf("with KBUS_DIR the daemon goes to %q, %v", got, err)
	}
	if got := OfClient(); got != "/somewhere" {
		t.Errorf("with KBUS_DIR a client goes to %q", got)
	}
}

// A daemon of a user is not started where nobody has said; a client looks where the system has such places.
func TestNothingSet(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root has a place always")
	}
	asUser(t, "")
	if got, err := OfDaemon(); err != ErrNone {
		t.Errorf("%q, %v", got, err)
	}
	if got := OfClient(); !strings.HasPrefix(got, "/run/") {
		t.Errorf("%q", got)
	}
}

func TestSockets(t *testing.T) {
	for dir, want := range map[string]string{
		"/d": "/d/bus12.sock", "d/": "d/bus12.sock", "./d": "d/bus12.sock", "@d": "@d/bus12.sock", "./@d": "./@d/bus12.sock",
	} {
		if got := SocketPath(dir, 12); got != want {
			t.Errorf("%s: %q, want %q", dir, got, want)
		}
	}
	for name, want := range map[string]string{"bus12.sock": "12", "bus.sock": "", "bus1": "no", "1.sock": "no", "limpets.sock": "no"} {
		if got, ok := BusNumber(name); got != want && ok || ok == (want == "no") {
			t.Errorf("%s: %q, %v", name, got, ok)
		}
	}
}

func TestCheckPath(t *testing.T) {
	for path, want := range map[string]error{
		"/run/kbus/bus0.sock": nil, strings.Repeat("x", 107): nil,
		"@kbus": syscall.EINVAL, "/run/\x00": syscall.EINVAL, strings.Repeat("x", 108): syscall.ENAMETOOLONG,
	} {
		if err := CheckPath(path); !errors.Is(err, want) || (err == nil) != (want == nil) {
			t.Errorf("%.20q: %v, want %v", path, err, want)
		}
	}
}
