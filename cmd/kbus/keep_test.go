package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"kbus.example/kbus"
)

// keeps starts a kbus keep for one name, and goes on when it is bound.
func keeps(t *testing.T, name string, args ...string) *command {
	t.Helper()
	c := start(t, "kbus", append([]string{"keep", name}, args...)...)
	await(t, func(o *kbus.Observer) bool {
		if c.ended(t) {
			t.Fatalf("kbus keep: status %d, %s", c.status(t), &c.err)
		}
		list, err := o.Bindings(t.Context())
		must(t, err)
		for _, b := range list {
			if b.Name == name && b.As == kbus.Replier {
				return true
			}
		}
		return false
	})
	return c
}

func announce(t *testing.T, k *kbus.Ksock, name, data string) {
	t.Helper()
	_, err := k.Send(t.Context(), kbus.Announcement(name, data))
	must(t, err)
}

// asked gives the data of the Reply.
func askedKeep(t *testing.T, k *kbus.Ksock, name string) string {
	t.Helper()
	reply, err := k.Call(t.Context(), kbus.Request(name, ""))
	must(t, err)
	return string(reply.Data)
}

// TestKeep: who asks after an Announcement gets that value, at once and to the byte. Nothing known is a Status; a Replier of
// its own has a name for itself, and its Replies are no values.
func TestKeep(t *testing.T) {
	withDaemon(t, 1)
	c := keeps(t, "$.State.*")
	k := openKsock(t)
	for i := range 200 {
		value := fmt.Sprintf("\x00 value %d", i)
		announce(t, k, "$.State.Lamp", value)
		if got := askedKeep(t, k, "$.State.Lamp"); got != value {
			t.Fatalf("%q, want %q", got, value)
		}
	}
	announce(t, k, "$.State.Empty", "")
	if got := askedKeep(t, k, "$.State.Empty"); got != "" {
		t.Error(got)
	}
	if got := kbusFails(t, int(syscall.ECONNRESET), "ask", "$.State.Door"); !strings.Contains(got, "nothing is known of $.State.Door") {
		t.Error(got)
	}
	own := start(t, "kbus", "answer", "$.State.Lamp", "--with", "mine", "--count", "1")
	await(t, func(o *kbus.Observer) bool { return bindings(t, o) == 3 })
	if got := askedKeep(t, k, "$.State.Lamp"); got != "mine" {
		t.Error(got)
	}
	own.status(t)
	if got := askedKeep(t, k, "$.State.Lamp"); got != "\x00 value 199" {
		t.Error(got)
	}
	must(t, c.Process.Signal(os.Interrupt))
	if status := c.status(t); status != 0 || c.out.Len()+c.err.Len() > 0 {
		t.Errorf("status %d, %s%s", status, &c.out, &c.err)
	}
}

var keptNumber = regexp.MustCompile(`"data":"(\d+)`)

// inFile is the number that the file has as a value, -1 while there is none.
func inFile(t *testing.T, path string) int {
	t.Helper()
	text, _ := os.ReadFile(path)
	found := keptNumber.FindSubmatch(text)
	if found == nil {
		return -1
	}
	n, err := strconv.Atoi(string(found[1]))
	must(t, err)
	return n
}

// TestKeepSurvivesKill: it is killed again and again while it writes its file. What was once seen in the file is never
// unknown again, and the file is always whole.
func TestKeepSurvivesKill(t *testing.T) {
	withDaemon(t, 1)
	path := filepath.Join(t.TempDir(), "values")
	k := openKsock(t)
	large := strings.Repeat(" and more", 20000) // writing takes a while
	n, seen := 0, -1
	for range 12 {
		c := keeps(t, "$.State.%", "--file", path, "--every", "1ms", "--queue", "100000")
		if n > 0 {
			got, err := strconv.Atoi(strings.TrimSuffix(askedKeep(t, k, "$.State.N"), large))
			must(t, err)
			if got < seen {
				t.Fatalf("it knows %d, but %d was in the file", got, seen)
			}
		}
		for before := seen; seen == before; seen = inFile(t, path) {
			announce(t, k, "$.State.N", strconv.Itoa(n)+large)
			n++
		}
		must(t, c.Process.Kill())
		c.status(t)
		seen = max(seen, inFile(t, path))
	}
	c := keeps(t, "$.State.%", "--file", path)
	if got := kbusFails(t, 1, "keep", "$.Other.%", "--file", path); !strings.Contains(got, "another process") {
		t.Error(got)
	}
	announce(t, k, "$.State.N", "1000000")
	must(t, c.Process.Signal(syscall.SIGTERM))
	if status := c.status(t); status != 0 || c.err.Len() > 0 || inFile(t, path) != 1000000 {
		t.Errorf("status %d, %s, %d in the file", status, &c.err, inFile(t, path))
	}
	must(t, os.WriteFile(path, []byte("mine\n"), 0o600))
	if got := kbusFails(t, 1, "keep", "$.Other.%", "--file", path); !strings.Contains(got, "move it away") {
		t.Error(got)
	}
}

// TestKeepIsBounded: what is too much is said once and not kept, and a queue that was full is told of.
func TestKeepIsBounded(t *testing.T) {
	withDaemon(t, 1)
	c := keeps(t, "$.State.*", "--max-names", "1", "--queue", "2")
	k := openKsock(t)
	for _, name := range []string{"$.State.A", "$.State.B", "$.State.C"} {
		announce(t, k, name, "value")
		for err := error(kbus.ErrReplierFull); err != nil; { // the queue is small; then it has been read
			if _, err = k.Call(t.Context(), kbus.Request("$.State.A", "")); err != nil && !errors.Is(err, kbus.ErrReplierFull) {
				t.Fatal(err)
			}
		}
	}
	got := kbusFails(t, int(syscall.ECONNRESET), "ask", "$.State.B")
	if !strings.Contains(got, "2 values were not kept, for want of room") {
		t.Error(got)
	}
	must(t, c.Process.Signal(syscall.SIGSTOP))
	for !standsStill(t, c.Process.Pid) {
		runtime.Gosched()
	}
	for i := range 40 { // more than the queue and what it reads ahead
		announce(t, k, "$.State.A", fmt.Sprint(i))
	}
	must(t, c.Process.Signal(syscall.SIGCONT))
	for got := ""; got != "last"; { // with a queue so small any message may find it full
		announce(t, k, "$.State.A", "last")
		if reply, err := k.Call(t.Context(), kbus.Request("$.State.A", "")); err == nil {
			got = string(reply.Data)
		} else if !errors.Is(err, kbus.ErrReplierFull) {
			t.Fatal(err)
		}
	}
	must(t, c.Process.Signal(os.Interrupt))
	c.status(t)
	if got := c.err.String(); strings.Count(got, "$.State.B is not kept: 1 names are remembered already") != 1 || !strings.Contains(got, "missed before") {
		t.Error(got)
	}
	if strings.Contains(c.err.String(), "$.State.C is") {
		t.Errorf("%s", &c.err)
	}
}

// A file without a name keeps nothing, and a name that is given twice would be refused because of ourselves: both are told.
func TestKeepMisused(t *testing.T) {
	for want, args := range map[string][]string{
		"--file is empty: give the name of a file, or leave it out": {"$.A.*", "--file", ""},
		"$.A.* is given twice": {"$.A.*", "$.B", "$.A.*"},
	} {
		if got, _, _ := strings.Cut(kbusFails(t, 2, append([]string{"keep"}, args...)...), "\n"); got != "kbus keep: "+want {
			t.Errorf("%q: %s", args, got)
		}
	}
}

// TestKeepLosesNoFile: one that is started with lower limits than before does not write over the values that it could not keep.
func TestKeepLosesNoFile(t *testing.T) {
	withDaemon(t, 1)
	path := filepath.Join(t.TempDir(), "values")
	c := keeps(t, "$.State.%", "--file", path)
	k := openKsock(t)
	announce(t, k, "$.State.A", "a")
	announce(t, k, "$.State.B", "b")
	must(t, c.Process.Signal(os.Interrupt))
	c.status(t)
	before, err := os.ReadFile(path)
	must(t, err)
	for _, limit := range []string{"--max-names=1", "--max-bytes=19"} {
		got := kbusFails(t, 1, "keep", "$.State.%", "--file", path, limit)
		if !strings.Contains(got, "has 2 values, more than may be kept") || !strings.Contains(got, "raise --max-names or --max-bytes") {
			t.Error(got)
		}
	}
	after, err := os.ReadFile(path)
	if must(t, err); string(after) != string(before) {
		t.Errorf("the file was\n%sand is\n%s", before, after)
	}
	keeps(t, "$.State.%", "--file", path, "--max-names=2", "--max-bytes=20")
}
