package main

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"kbus.example/kbus"
)

// What two programs say to each other is seen: who, what, how much, and what was refused.
func TestShowsWhatIsSaid(t *testing.T) {
	s := newStage(t)
	v, ctx := s.view(), t.Context()
	v.until("bus", func(f *update) bool { return f.data.Up })
	lamp, hand := s.open(), s.open()
	must(t, lamp.Bind(ctx, "$.Lamp.Set", kbus.Replier))
	must(t, lamp.Bind(ctx, "$.Bell", kbus.Listener))
	for range 7 {
		_, err := hand.Send(ctx, kbus.Announcement("$.Bell", "<b>ding</b>"))
		must(t, err)
	}
	asked, err := hand.Send(ctx, kbus.Request("$.Lamp.Set", "on"))
	must(t, err)
	if _, err := hand.Send(ctx, kbus.Request("$.Nobody", "")); err == nil {
		t.Fatal("nobody should answer")
	}
	bell, lost := false, false
	for !bell || !lost {
		f := v.until("beat", anything)
		for _, m := range f.data.Messages {
			bell = bell || m.Kind == "Announcement" && m.Name == "$.Bell" && m.Data == "<b>ding</b>" && m.From == uint32(hand.ID())
			lost = lost || m.Name == "$.Nobody" && m.Refused != nil && m.Refused.Condition == "ErrNoReplier" && m.Refused.Why != ""
		}
	}
	p := v.until("picture", func(f *update) bool { return f.data.Counts["refused"] == 1 && len(f.data.Refusals) == 1 })
	if c := p.data.Counts; c["announcements"] != 7 || c["requests"] != 1 || c["reached"] != 8 {
		t.Errorf("counts: %v", c)
	}
	if r := p.data.Refusals[0]; r.From != uint32(hand.ID()) || r.Refused.Condition != "ErrNoReplier" {
		t.Errorf("refusal: %+v", r)
	}
	if len(p.data.Bindings) != 2 {
		t.Errorf("bindings: %+v", p.data.Bindings)
	}
	for _, k := range p.data.Ksocks {
		if k.Ksock == uint32(lamp.ID()) && (k.Queued != 8 || k.Unanswered != 1 || len(k.Owes) != 1 || k.Owes[0].Name != "$.Lamp.Set") {
			t.Errorf("the lamp: %+v", k)
		}
	}
	if asked.ID.IsZero() {
		t.Error("no id")
	}
	late := s.view() // who comes later is shown what was said last
	late.until("past", func(f *update) bool { return len(f.data.Messages) > 0 && f.data.Counts["announcements"] == 7 })
}

// A daemon that stands still is said to, and so is that it goes on.
func TestDaemonStandsStill(t *testing.T) {
	s := newStage(t)
	v := s.view()
	v.until("picture", anything)
	must(t, s.daemon.Process.Signal(syscall.SIGSTOP))
	v.until("bus", func(f *update) bool { return !f.data.Up && strings.Contains(f.data.Why, "has not answered for 5s") })
	must(t, s.daemon.Process.Signal(syscall.SIGCONT))
	v.until("bus", func(f *update) bool { return f.data.Up && f.data.Lives == 2 })
}

// A daemon that is killed is said to be gone, and the next one to be there.
func TestComesBack(t *testing.T) {
	s := newStage(t)
	v := s.view()
	v.until("bus", func(f *update) bool { return f.data.Up && f.data.Lives == 1 })
	must(t, s.daemon.Process.Kill())
	_ = s.daemon.Wait()
	v.until("bus", func(f *update) bool { return !f.data.Up && f.data.Why != "" })
	s.startDaemon()
	v.until("bus", func(f *update) bool { return f.data.Up && f.data.Lives == 2 })
	v.until("picture", anything)
}

// It ends in order: viewers are told, and the status is 0.
func TestEndsInOrder(t *testing.T) {
	s := newStage(t)
	v := s.view()
	v.until("hello", anything)
	must(t, s.web.Process.Signal(syscall.SIGTERM))
	v.until("end", anything)
	if _, more := v.next(); more {
		t.Error("something comes after the end")
	}
	if err := s.web.Wait(); err != nil {
		t.Error(err)
	}
}

// Who is one too many is told so, with a status at which a browser tries again.
func TestViewersHaveALimit(t *testing.T) {
	s := newStage(t, "--viewers", "1")
	first := s.view()
	first.until("hello", anything)
	if f, ok := s.view().next(); !ok || f.event != "full" || f.data.Most != 1 {
		t.Errorf("the second gets %+v", f)
	}
	first.end()
	for {
		if f, _ := s.view().next(); f.event == "hello" {
			return
		}
	}
}

// The page, the figures, and what nobody may ask for from elsewhere.
func TestServesPageAndFigures(t *testing.T) {
	s := newStage(t)
	status, text, header := s.ask(http.DefaultClient, "")
	if status != 200 || !strings.Contains(text, "<title>KBUS</title>") || !strings.HasPrefix(header.Get("Content-Type"), "text/html") {
		t.Errorf("%d %v\n%s", status, header, text)
	}
	for _, want := range []string{"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "require-trusted-types-for 'script'"} {
		if !strings.Contains(header.Get("Content-Security-Policy"), want) {
			t.Errorf("the policy lacks %s: %s", want, header.Get("Content-Security-Policy"))
		}
	}
	if status, text, _ := s.ask(http.DefaultClient, "metrics"); status != 200 || !strings.Contains(text, `kbus_up{bus="0"}`) {
		t.Errorf("%d\n%s", status, text)
	}
	if status, _, _ := s.ask(http.DefaultClient, "", "If-None-Match", header.Get("ETag")); status != http.StatusNotModified {
		t.Errorf("the same page again: %d", status)
	}
	if status, _, _ := s.ask(http.DefaultClient, "..%2f..%2fetc/passwd"); status != http.StatusNotFound {
		t.Errorf("another file: %d", status)
	}
	if status, text, _ := s.ask(http.DefaultClient, "metrics", "Host", "rebound.example"); status != http.StatusMisdirectedRequest {
		t.Errorf("another name: %d %s", status, text)
	}
}

// With a token nothing is to be had without it, and all with it; TLS is spoken.
func TestWantsToken(t *testing.T) {
	dir := t.TempDir()
	token, file := strings.Repeat("secret", 4), filepath.Join(dir, "token")
	must(t, os.WriteFile(file, []byte(token+"\n"), 0o600))
	cert, key, pool := certificate(t, dir)
	s := newStage(t, "--token-file", file, "--cert", cert, "--key", key)
	if !strings.HasPrefix(s.url, "https://") {
		t.Fatal(s.url)
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true}}
	defer client.CloseIdleConnections()
	for _, path := range []string{"", "events", "metrics", "js/main.js"} {
		if status, _, header := s.ask(client, path); status != 401 || !strings.HasPrefix(header.Get("WWW-Authenticate"), "Basic ") {
			t.Errorf("/%s without a token: %d", path, status)
		}
		if status, _, _ := s.ask(client, path, "Authorization", "Bearer "+token+"x"); status != 401 {
			t.Errorf("/%s with another: %d", path, status)
		}
	}
	if status, _, _ := s.ask(client, "metrics", "Authorization", "Bearer "+token); status != 200 {
		t.Error(status)
	}
	s.url = strings.Replace(s.url, "https://", "https://me:"+token+"@", 1)
	if status, _, _ := s.ask(client, ""); status != 200 {
		t.Error(status)
	}
}

// What is wrong with how it was started is said, with what to do.
func TestWebUsage(t *testing.T) {
	dir := t.TempDir()
	short, loose := filepath.Join(dir, "short"), filepath.Join(dir, "loose")
	must(t, os.WriteFile(short, []byte("1234"), 0o600))
	must(t, os.WriteFile(loose, []byte(strings.Repeat("1234", 8)), 0o644))
	cert, _, _ := certificate(t, dir)
	for args, want := range map[string]string{
		"web --listen 0.0.0.0:8443":                      "takes --token-file FILE, --cert FILE and --key FILE. Or listen at 127.0.0.1",
		"web --listen :8443 --token-file " + short:       "takes --token-file FILE, --cert FILE and --key FILE",
		"web --listen 8080":                              "it must be HOST:PORT",
		"web --cert " + cert:                             "--cert and --key go together",
		"web --cert " + cert + " --key " + short:         "--key " + short,
		"web --listen 127.0.0.1:0 --token-file " + short: "has 4 bytes, and needs 16 at least",
		"web --listen 127.0.0.1:0 --token-file " + loose: "chmod 600",
		"web --listen 127.0.0.1:0 --token-file /nowhere": "--token-file: stat /nowhere: no such file",
		"web --listen 127.0.0.1:0 --viewers 0":           "--viewers must be 1 or more",
		"web --listen 127.0.0.1:0 --data -1":             "--data is 0 or more",
		"web --listen 127.0.0.1:0 --name A":              `--name "A"`,
		"web here":                                       `unexpected argument "here"`,
	} {
		out, err := exec.Command("kbus-web", strings.Fields(args)...).CombinedOutput()
		if err == nil || !strings.Contains(string(out), want) {
			t.Errorf("%s: %v\n%s", args, err, out)
		}
	}
}

// certificate makes one for 127.0.0.1.
func certificate(t *testing.T, dir string) (cert, key string, pool *x509.CertPool) {
	t.Helper()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	pem, private := selfSigned(t)
	must(t, os.WriteFile(cert, pem, 0o600))
	must(t, os.WriteFile(key, private, 0o600))
	pool = x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	return cert, key, pool
}
