package main

import (
	"crypto/tls"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
)

// secrets makes what a secure federation of three bowls needs.
func secrets(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, command := range []string{"certs", "nkey"} {
		out, err := exec.Command("kbus-limpet", command, dir, "--id", "1", "--id", "2", "--id", "3").CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	return dir
}

// Who has not what `certs` and `nkey` make does not get in, and is told; nor does one that has the key of another bowl.
func TestSecureServer(t *testing.T) {
	ours, others := secrets(t), secrets(t)
	dir, there := t.TempDir(), t.TempDir()
	daemon(t, dir)
	daemon(t, there)
	at := freeAddress(t)
	start(t, nil, "kbus-limpet", "serve", "--dir", dir, "--id", "1", "--store", t.TempDir(), "--listen", at, "--certs", ours).await("joined")
	join := func(more ...string) *process {
		return start(t, nil, append([]string{"kbus-limpet", "join", "--dir", there}, more...)...)
	}
	thief := t.TempDir()
	for _, name := range []string{"authority.pem", "limpet.3.pem", "limpet.3.key"} {
		copyFile(t, filepath.Join(ours, name), filepath.Join(thief, name))
	}
	noKey := t.TempDir()
	must(t, os.CopyFS(noKey, os.DirFS(thief)))
	copyFile(t, filepath.Join(ours, "limpet.2.nk"), filepath.Join(thief, "limpet.3.nk"))
	for _, c := range []struct {
		what, words string
		flags       []string
	}{
		{"plain text", "see --tls-ca", []string{"--id", "2", "--servers", "nats://" + at}},
		{"another authority", "not from an authority that is trusted here", []string{"--id", "2", "--servers", "tls://" + at, "--certs", others}},
		{"no key", "does not know these credentials", []string{"--id", "3", "--servers", "tls://" + at, "--certs", noKey}},
		{"the key of another bowl", "does not let these credentials be bowl 3", []string{"--id", "3", "--servers", "tls://" + at, "--certs", thief}},
	} {
		p := join(c.flags...)
		if status := p.status(); status == 0 || !strings.Contains(strings.Join(p.logged, "\n"), c.words) {
			t.Errorf("%s: status %d, without a word of %q\n%s", c.what, status, c.words, strings.Join(p.logged, "\n"))
		}
	}
	if nc, err := nats.Connect("tls://"+at, nats.Secure(&tls.Config{InsecureSkipVerify: true})); err == nil {
		nc.Close()
		t.Error("somebody without a certificate gets in")
	}
	join("--id", "3", "--servers", "nats://"+at, "--certs", ours).await("joined")
}

// A server that does not know a bowl any more, because its list of keys is wrong, is tried until it is right again.
func TestKeyMissingForAWhile(t *testing.T) {
	ours, store, at := secrets(t), t.TempDir(), freeAddress(t)
	dir, there := t.TempDir(), t.TempDir()
	daemon(t, dir)
	daemon(t, there)
	serve := func() *process {
		p := start(t, nil, "kbus-limpet", "serve", "--dir", dir, "--id", "1", "--store", store, "--listen", at, "--certs", ours)
		p.await("joined")
		return p
	}
	first := serve()
	other := start(t, nil, "kbus-limpet", "join", "--dir", there, "--id", "2", "--servers", "tls://"+at, "--certs", ours)
	other.await("joined")
	first.terminate()
	list := filepath.Join(ours, publicKeys)
	right, err := os.ReadFile(list)
	must(t, err)
	lines := strings.SplitAfter(string(right), "\n")
	must(t, os.WriteFile(list, []byte(lines[0]), 0o600))
	wrong := serve()
	for range 3 {
		wrong.await("authentication error")
	}
	wrong.terminate()
	must(t, os.WriteFile(list, right, 0o600))
	serve()
	other.await("back with NATS")
}

// Three servers of a cluster speak TLS with each other too.
func TestSecureCluster(t *testing.T) {
	ours := secrets(t)
	peers := []string{freeAddress(t), freeAddress(t), freeAddress(t)}
	var limpets []*process
	for i, id := range []string{"1", "2", "3"} {
		dir := t.TempDir()
		daemon(t, dir)
		routes := append(append([]string{}, peers[:i]...), peers[i+1:]...)
		limpets = append(limpets, start(t, nil, "kbus-limpet", "serve", "--dir", dir, "--id", id, "--store", t.TempDir(), "--listen",
			"127.0.0.1:0", "--certs", ours, "--peers", peers[i], "--routes", strings.Join(routes, ",")))
	}
	for _, p := range limpets {
		p.await("joined")
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	must(t, err)
	must(t, os.WriteFile(to, b, 0o600))
}
