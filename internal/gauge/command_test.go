package gauge

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	tests := []struct{ args, want string }{
		{"rtt 32 5000", "rtt size 32 count 5000 warm 500 consumers 0 window 1000 clients 0 brokers [7 8]"},
		{"rtt 0 50000", "rtt size 0 count 50000 warm 1000 consumers 0 window 1000 clients 0 brokers [7 8]"},
		{"pub 32 50000 8", "pub size 32 count 50000 warm 5000 consumers 8 window 1000 clients 0 brokers [7 8]"},
		{"pub 65536 100 1", "pub size 65536 count 100 warm 10 consumers 1 window 100 clients 0 brokers [7 8]"},
		{"pub 1024 100 1 50", "pub size 1024 count 100 warm 10 consumers 1 window 50 clients 0 brokers [7 8]"},
		{"idle 100", "idle size 0 count 0 warm 0 consumers 0 window 0 clients 100 brokers [7 8]"},
	}
	t.Setenv("BROKER_PID", "7, 8")
	for _, test := range tests {
		name, p, err := parse(strings.Fields(test.args))
		if err != nil {
			t.Errorf("%s: %v", test.args, err)
			continue
		}
		got := fmt.Sprintf("%s size %d count %d warm %d consumers %d window %d clients %d brokers %v",
			name, p.Size, p.Count, p.WarmUp, p.Consumers, p.Window, p.Clients, p.Brokers)
		if got != test.want {
			t.Errorf("%s: %s", test.args, got)
		}
	}
	for _, bad := range []string{"", "rtt", "rtt 32", "rtt 32 0", "rtt 32 1 1", "rtt -1 1", "rtt x 1", "pub 32 1",
		"pub 32 1 0", "pub 32 1 257", "pub 1 1 1 1 1", "idle", "idle 1 2", "walk 1 2"} {
		if _, _, err := parse(strings.Fields(bad)); !errors.Is(err, ErrUsage) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	t.Setenv("WARM", "0")
	if _, p, err := parse(strings.Fields("rtt 1 100")); err != nil || p.WarmUp != 0 {
		t.Error("WARM=0", p, err)
	}
	t.Setenv("BROKER_PID", "seven")
	if _, _, err := parse(strings.Fields("rtt 1 100")); err == nil {
		t.Error("a process called seven")
	}
}
