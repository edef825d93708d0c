package conformance

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"kbus.example/kbus/test/conformance/driver"
)

// elsewhere runs a command on a machine whose /run is the directory $1, as somebody who is not root, but may read this
// project all the same.
const elsewhere = `mount --bind "$1" /run && shift &&
	exec setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps +dac_override --ambient-caps +dac_override "$@"`

// Programs of all languages look for a bus in the same directory: that of the environment, the user's own, or the
// machine's.
func TestPlace(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can be somebody else")
	}
	if out, err := exec.Command("unshare", "-m", "mount", "--bind", "/", "/").CombinedOutput(); err != nil {
		t.Skipf("no namespaces here: %v, %s", err, out)
	}
	run := shortDir(t)
	defer os.RemoveAll(run)
	machine, user := filepath.Join(run, "kbus"), filepath.Join(run, "user/65534/kbus")
	for _, dir := range []string{machine, user, filepath.Join(run, "session/kbus")} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	d := &daemon{dir: machine}
	if err := d.start(ordinary); err != nil {
		t.Fatal(err)
	}
	defer d.stop()

	languages := languagesHere(t)
	const here, none = syscall.Errno(0), syscall.ENOENT
	for _, c := range []struct {
		about, given, session string
		without               string // a directory that is not there
		want                  syscall.Errno
	}{
		{"the directory that is given", "/run/kbus", "", "", here},
		{"no other if one is given", "/run/no", "", user, none},
		{"the user's own", "", "", "", none},
		{"the session's", "", "/run/session", user, none},
		{"the machine's if the user has none", "", "", user, here},
		{"the machine's if the session has none", "", "/run/no", "", here},
		{"none if there is none", "", "/run/no", machine, none},
	} {
		if c.without != "" {
			rename(t, c.without, c.without+" away")
		}
		for _, k := range languages {
			env := append(k.env, "KBUS_DIR="+c.given, "XDG_RUNTIME_DIR="+c.session)
			command := append([]string{"unshare", "-m", "sh", "-ec", elsewhere, "sh", run}, k.command...)
			if got := openHow(t, command, env); got != c.want {
				t.Errorf("%s looks for a bus in %s: open gives %v, want %v", k.language, c.about, error(got), error(c.want))
			}
		}
		if c.without != "" {
			rename(t, c.without+" away", c.without)
		}
	}
}

// languagesHere are the drivers that this machine can have, through a socket.
func languagesHere(t *testing.T) []known {
	here := []known{{language: "Go", command: []string{os.Args[0]}, env: []string{role + "=driver", roleOfDriver + "=good"}}}
	for _, k := range drivers {
		if missing := k.missing(); missing != "" {
			t.Logf("%s is not tried: %s", k.language, missing)
			continue
		}
		if len(k.build) > 0 {
			if err := k.make(); err != nil {
				t.Fatal(err)
			}
		}
		k.command = append(k.command[:len(k.command):len(k.command)], "socket")
		here = append(here, k)
	}
	return here
}

// openHow has a driver open a Ksock on bus 0.
func openHow(t *testing.T, command, env []string) syscall.Errno {
	t.Helper()
	p, err := driver.Start(command, module(), env, *patience)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Kill()
	words, err := p.Ask("open 0 0 rw")
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(words[0])
	if err != nil {
		t.Fatal(fmt.Errorf("open gives %q", words))
	}
	if err := p.End(); err != nil {
		t.Error(err)
	}
	return syscall.Errno(n)
}

func rename(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}
