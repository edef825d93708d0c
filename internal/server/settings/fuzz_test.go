package settings

import (
	"fmt"
	"strings"
	"testing"
)

// FuzzConfig: no text makes Parse or Check panic; an error of Parse always says where; and what is taken can be written
// down as it shows itself and gives the same settings again.
func FuzzConfig(f *testing.F) {
	for _, text := range []string{
		"", "buses = 2", "[limits]\nconnections = 5", "limits = { bindings = 1, user-bindings = 0x10 }",
		"socket.mode = 0o660", "drain = \"1h\"", "[log]\nlevel = '''warn'''", "[[limits]]", "buses = [1, {a = 2}]",
		"limits.queue-bytes = \"1 GiB\"", "\"limits\".'bindings' = +5", "# only this",
		"dir = \"\\u00e9\\n\"", "a.b.c = 1979-05-27",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s := Default()
		if err := s.Parse("f", []byte(text)); err != nil {
			for _, line := range strings.Split(err.Error(), "\n") {
				var number int
				if n, _ := fmt.Sscanf(line, "f:%d: ", &number); n != 1 && strings.HasPrefix(line, "f:") {
					t.Errorf("no line number: %s", line)
				}
			}
			return
		}
		if s.Check() != nil {
			return
		}
		var again strings.Builder
		for _, row := range table {
			if row.key == "dir" || row.key == "socket.group" {
				continue // Go's quoting is not quite TOML's
			}
			fmt.Fprintf(&again, "%s = %s\n", row.key, row.show(s))
		}
		next := Default()
		if err := next.Parse("again", []byte(again.String())); err != nil {
			t.Fatalf("%v in\n%s", err, again.String())
		}
		next.Server.Dir, next.Server.SocketGroup = s.Server.Dir, s.Server.SocketGroup
		if changes, err := s.Changes(next); len(changes) > 0 || err != nil {
			t.Errorf("written down and read again: %v, %v", changes, err)
		}
	})
}
