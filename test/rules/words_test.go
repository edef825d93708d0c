package rules

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"kbus.example/kbus/internal/testing/programs"
)

// TestRefusalsNameTheirRule: to who is refused, in each language whose errors have room for text.
func TestRefusalsNameTheirRule(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can be somebody else")
	}
	d := startDaemon(t, text)
	must(t, programs.Build(d.dir, "kbus"))
	kbus := filepath.Join(d.dir, "kbus")
	python := "import kbus\n" +
		"try:\n    kbus.Ksock(0).send_msg(kbus.Announcement('$.Door.Lock', 'x'))\n" +
		"except kbus.KbusError as e:\n    print(e.errno, e)\n"
	rule := filepath.Join(d.dir, "rules.d", "10.toml") + ":3 denies to send $.Door.Lock"
	for _, c := range []struct {
		command []string
		status  int
		want    string
	}{
		{[]string{kbus, "send", "$.Door.Lock", "x"}, int(syscall.EACCES), "rule " + rule},
		{[]string{kbus, "ask", "$.Door.Lock"}, int(syscall.EACCES), "denies to send the Request $.Door.Lock"},
		{[]string{kbus, "listen", "$.Secret.*"}, int(syscall.EACCES), "denies to listen to $.Secret.*"},
		{[]string{kbus, "monitor"}, int(syscall.EPERM), `setting taps says who may see everything ("owner": root and the daemon's user); taps = "group:NAME" in kbusd.toml lets others`},
		{[]string{"env", "python3", "-c", python}, 0, "13 "},
		{[]string{"env", "python3", "-c", python}, 0, rule},
	} {
		if _, err := exec.LookPath(c.command[0]); err != nil {
			t.Logf("this machine has no %s", c.command[0])
			continue
		}
		e := exec.Command(c.command[0], c.command[1:]...)
		e.Env = append(os.Environ(), "KBUS_DIR="+filepath.Join(d.dir, "run"), "PYTHONPATH="+module()+"/bindings/python", "PYTHONDONTWRITEBYTECODE=1")
		e.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 1001, Gid: 1001}, AmbientCaps: []uintptr{1}} // to read this project
		out, _ := e.CombinedOutput()
		if status := e.ProcessState.ExitCode(); status != c.status || !strings.Contains(string(out), c.want) {
			t.Errorf("%q: status %d, %s", c.command, status, out)
		}
	}
}
