// Package units runs what `make install` installs under systemd, as on a machine that is administered: the daemon, its
// socket and Limpets as services, and programs of users who are nobody in particular. It takes root, for namespaces.
package units

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"kbus.example/kbus/internal/testing/smallmachine"
)

// patience is how long anything may take on a machine that is busy with other things; no test waits for it to pass.
const patience = smallmachine.Patience

// Users, and their groups.
const (
	root   = smallmachine.Root
	nobody = smallmachine.Nobody
)

// machine is one with all that is installed.
type machine struct {
	*smallmachine.Machine
	t *testing.T
}

// boot installs everything, lets the test change or add to what is installed below a directory, and starts the machine.
func boot(t *testing.T, change func(dir string)) *machine {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can make namespaces")
	}
	dir := t.TempDir()
	install := exec.Command("make", "-s", "install", "DESTDIR="+dir, "PREFIX=/opt/kbus")
	install.Dir = filepath.Join("..", "..")
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	change(dir)
	return &machine{smallmachine.Start(t, "testdata/boot.sh", dir, "/opt/kbus/bin:/usr/sbin:/usr/bin:/sbin:/bin"), t}
}
