package units

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestUpgradeWithPrograms: a service's program goes on when the daemon is upgraded. systemd has the new daemon as a child, so it
// hears of its end at once though the old process is there still, as the program's guardian; and nothing stays behind.
func TestUpgradeWithPrograms(t *testing.T) {
	m := boot(t, func(dir string) {
		etc := filepath.Join(dir, "etc")
		write(t, etc, "kbus/kbusd.toml", "")
		write(t, etc, "kbus/kbus.d/a.toml", "name = \"$.A\"\nexec = [\"/opt/kbus/bin/kbus\", \"answer\", \"$.A\", \"--with\", \"yes\"]\ndeadline = \"60s\"\n")
	})
	run := func(command string) string { t.Helper(); return strings.TrimSpace(m.Run(root, "sh", "-c", command)) }
	process := func() string { t.Helper(); return run("systemctl show -P MainPID kbusd.service") }
	ask := func() string { t.Helper(); return run("kbus ask '$.A' && kbus services | awk 'NR == 2 {print $3}'") } // and the pid of who answers
	upgrade := func() {
		t.Helper()
		run(": >/run/log; systemctl reload kbusd.service")
		m.Run(root, "timeout", "60", "bash", "-c", `grep -m 1 'taken over' <(exec tail -n +1 -F /run/log) >/run/seen`)
	}
	run("systemctl start kbusd.service")
	first, program := process(), ask()
	for range 2 {
		upgrade()
		if again := ask(); again != program {
			t.Errorf("%s answers, and not %s", again, program)
		}
		if parent := run("ps -o ppid= -p " + process()); parent != "1" {
			t.Errorf("the parent of the daemon is %s", parent)
		}
	}
	if is := run("ps -o comm= -p " + first); is != "kbusd" {
		t.Errorf("the guardian is called %s", is)
	}
	run(": >/run/log; kill -9 " + process())
	m.Run(root, "timeout", "60", "bash", "-c", `grep -m 1 'buses are open' <(exec tail -n +1 -F /run/log) >/run/seen`)
	if again := ask(); again == program {
		t.Error("the program of the daemon that was killed answers")
	}
	upgrade()
	ask()
	run("systemctl stop kbusd.service kbusd.socket")
	if left := run("pgrep kbus || true"); left != "" {
		t.Errorf("still there: %s", left)
	}
	if got := run("systemctl list-units --failed --plain --no-legend"); got != "" {
		t.Errorf("failed: %s", got)
	}
	if t.Failed() {
		t.Log(run("cat /run/log | tail -30; ps -ef; systemctl status kbusd --no-pager || true"))
	}
}
