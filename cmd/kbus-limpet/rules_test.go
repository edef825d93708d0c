package main

import (
	"os"
	"path/filepath"
	"testing"

	"kbus.example/kbus"
)

// Access rules can keep names of other buses from one: that is told, with the rule, and all other names are there.
func TestNamesKeptByRules(t *testing.T) {
	dirs := [2]string{t.TempDir(), t.TempDir()}
	rules := filepath.Join(dirs[0], "rules.d")
	must(t, os.Mkdir(rules, 0o755))
	must(t, os.WriteFile(filepath.Join(rules, "10.toml"), []byte(`[[rule]]
allow = ["open", "send", "listen", "request", "reply", "limpet", "administer"]
[[rule]]
deny = "reply"
name = "$.Kept"
`), 0o644))
	server := natsServer(t)
	daemon(t, dirs[0], "--rules", rules)
	daemon(t, dirs[1])
	near := start(t, nil, "kbus-limpet", "join", "--dir", dirs[0], "--id", "1", "--servers", server)
	near.await("joined")
	start(t, nil, "kbus-limpet", "join", "--dir", dirs[1], "--id", "2", "--servers", server).await("joined")
	seen := open(t, dirs[0])
	must(t, seen.Bind(t.Context(), kbus.NameReplierBindEvent, kbus.Listener))
	far := open(t, dirs[1])
	must(t, far.Bind(t.Context(), "$.Kept", kbus.Replier))
	near.await("the bus does not take all names", "name=$.Kept", "10.toml:3 denies to bind $.Kept as Replier")
	must(t, far.Bind(t.Context(), "$.Open", kbus.Replier))
	awaitEvent(t, seen, true, "$.Open")
	if status := near.terminate(); status != 0 {
		t.Errorf("terminated: status %d", status)
	}
}
