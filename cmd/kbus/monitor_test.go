package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"kbus.example/kbus"
	"kbus.example/kbus/cmd/internal/cli"
)

const traceID = "4bf92f3577b34da6a3ce929d0e0e4736"

// traced is a message of that trace.
func traced(m *kbus.Message) *kbus.Message {
	m.Trace = &kbus.Trace{Parent: "00-" + traceID + "-00f067aa0ba902b7-01"}
	return m
}

// startMonitor gives the lines of a monitor, from the first after it has begun to look.
func startMonitor(t *testing.T, k *kbus.Ksock, args ...string) (next func() string) {
	t.Helper()
	c := exec.Command("kbus", append([]string{"monitor"}, args...)...)
	out, err := c.StdoutPipe()
	must(t, err)
	c.Stderr = os.Stderr
	must(t, c.Start())
	t.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() })
	// It has no binding that would show; but what it prints does.
	lines := bufio.NewScanner(out)
	began := make(chan bool)
	go func() {
		lines.Scan()
		close(began)
	}()
	for waiting := true; waiting; {
		_, err := k.Send(t.Context(), traced(kbus.Announcement("$.Ready", "")))
		must(t, err)
		select {
		case <-began:
			waiting = false
		default:
		}
	}
	_, err = k.Send(t.Context(), traced(kbus.Announcement("$.Go", "")))
	must(t, err)
	for !strings.Contains(lines.Text(), "$.Go") {
		if !lines.Scan() {
			t.Fatal("it has ended")
		}
	}
	return func() string {
		t.Helper()
		if !lines.Scan() {
			t.Fatal("it has ended")
		}
		return lines.Text()
	}
}

var (
	prefix    = regexp.MustCompile(`^\S+T\S+Z \S+\[\d+\] uid \d+ |^\S+T\S+Z `)
	durations = regexp.MustCompile(`after [\d.]+[µm]?s`)
)

// A monitor tells what is sent, by whom and what comes of it.
func TestMonitor(t *testing.T) {
	withDaemon(t, 1)
	k, err := kbus.Open(t.Context(), 0)
	must(t, err)
	defer k.Close()
	next := startMonitor(t, k)
	r, err := kbus.Open(t.Context(), 0)
	must(t, err)
	must(t, r.Bind(t.Context(), "$.Lamp", kbus.Replier))
	_, err = k.Send(t.Context(), kbus.Request("$.Lamp", "on"))
	must(t, err)
	_, _ = k.Send(t.Context(), kbus.Request("$.None", ""))
	must(t, r.Close())
	for _, want := range []string{
		"opened Ksock 2",
		"bound Ksock 2 as Replier to $.Lamp",
		"<Request '$.Lamp', id=[0:N], from=1, flags=0x1 (REQ), data='on'> reached 1",
		"<Request '$.None', from=1, flags=0x1 (REQ)> refused: nobody is bound as Replier for that name",
		"closed Ksock 2",
		"<Status '$.KBUS.Replier.GoneAway', id=[0:N], to=1, from=2, in_reply_to=[0:N], flags=0x4 (SYN)> reached 1 after D",
		"unbound Ksock 2 as Replier from $.Lamp",
	} {
		got := prefix.ReplaceAllString(next(), "")
		got = regexp.MustCompile(`\[0:\d+\]`).ReplaceAllString(durations.ReplaceAllString(got, "after D"), "[0:N]")
		if got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

// --json tells the same as data.
func TestMonitorJSON(t *testing.T) {
	withDaemon(t, 1)
	k, err := kbus.Open(t.Context(), 0)
	must(t, err)
	defer k.Close()
	next := startMonitor(t, k, "--json", "--count", "100000")
	_, err = k.Send(t.Context(), kbus.Announcement("$.Door", "\xff"))
	must(t, err)
	var got struct {
		Time, Kind, Name, ID, Program string
		From, PID, UID                *uint32
		Reached, Skipped              *uint32
		DataBase64                    []byte `json:"data_base64"`
	}
	must(t, json.Unmarshal([]byte(next()), &got))
	if got.Kind != "Announcement" || got.Name != "$.Door" || string(got.DataBase64) != "\xff" || *got.Reached != 0 || *got.Skipped != 0 ||
		got.Time == "" || got.Program == "" || *got.PID != uint32(os.Getpid()) || *got.UID != uint32(os.Getuid()) || *got.From != 1 {
		t.Errorf("%+v", got)
	}
}

// --stats counts, and prints at the end. It says nothing before, so it is told to end when something has certainly been sent;
// if it had not begun to look by then, once more.
func TestMonitorStats(t *testing.T) {
	withDaemon(t, 1)
	k, err := kbus.Open(t.Context(), 0)
	must(t, err)
	defer k.Close()
	must(t, k.Bind(t.Context(), "$.Lamp", kbus.Listener))
	row := regexp.MustCompile(`(?m)^\$\.Lamp +(\d+) +(\d+) +(\d+) +(\d+) +0 +0 +0 +- +-$`)
	for {
		c := start(t, "kbus", "monitor", "--stats")
		await(t, func(o *kbus.Observer) bool { i, err := o.Info(t.Context()); return err == nil && i.Connections >= 4 })
		for range 100 {
			_, err = k.Send(t.Context(), kbus.Announcement("$.Lamp", "on"))
			must(t, err)
		}
		must(t, c.Process.Signal(os.Interrupt))
		c.status(t)
		if m := row.FindStringSubmatch(c.out.String()); m != nil {
			n := func(i int) int { v, _ := strconv.Atoi(m[i]); return v }
			if n(1) == 0 || n(2) != 2*n(1) || n(3)+n(4) != n(1) {
				t.Error(m[0])
			}
			return
		}
	}
}

func TestMonitorUsage(t *testing.T) {
	withDaemon(t, 1)
	for _, c := range []struct{ args, says string }{
		{"--follow x", `"x" is no id of a message`},
		{"--slow 1s --failures", "one or the other"},
		{"--data binary", "text, hex or none"},
		{"$..A", "an empty word at byte 2"},
	} {
		if got := kbusFails(t, map[bool]int{true: 74, false: cli.StatusUsage}[c.args == "$..A"], append([]string{"monitor"}, strings.Fields(c.args)...)...); !strings.Contains(got, c.says) {
			t.Errorf("%s: %s", c.args, got)
		}
	}
}

// A Request that was sent before the monitor began is told of, too, whether somebody has read it or not.
func TestMonitorEarlier(t *testing.T) {
	withDaemon(t, 1)
	r := openKsock(t)
	must(t, r.Bind(t.Context(), "$.Hung.*", kbus.Replier))
	asker := start(t, "kbus", "ask", "$.Hung.A")
	await(t, func(*kbus.Observer) bool { n, err := r.Queue().Len(t.Context()); return err == nil && n == 1 })
	who := `unanswered 1 Request of kbus \(Ksock \d+, pid ` + strconv.Itoa(asker.Process.Pid) + `\), sent before this monitor began: `
	says := func(behind string) {
		t.Helper()
		if got := kbusOK(t, "monitor", "--unanswered", "--count", "1"); !regexp.MustCompile(who + behind + `\n$`).MatchString(got) {
			t.Errorf("%s, want %s%s", got, who, behind)
		}
	}
	says("nobody has read it; kbus list shows whose queue is not empty")
	_, err := r.Receive(t.Context())
	must(t, err)
	says(`\S+ \(Ksock ` + fmt.Sprint(r.ID()) + `, pid ` + strconv.Itoa(os.Getpid()) + `\) owes an answer`)
	var got struct {
		Happened string
		Earlier  int
		By       struct{ PID int }
		Owe      []struct{ Ksock uint32 }
	}
	must(t, json.Unmarshal([]byte(kbusOK(t, "monitor", "--unanswered", "--count", "1", "--json")), &got))
	if got.Happened != "unanswered" || got.Earlier != 1 || got.By.PID != asker.Process.Pid || len(got.Owe) != 1 || got.Owe[0].Ksock != uint32(r.ID()) {
		t.Errorf("%+v", got)
	}
}

// A service that hangs is found, too, when nobody waits for it any more.
func TestMonitorEarlierOfNobody(t *testing.T) {
	withDaemon(t, 1)
	r := openKsock(t)
	must(t, r.Bind(t.Context(), "$.Hung", kbus.Replier))
	for range 3 {
		k := openKsock(t)
		_, err := k.Send(t.Context(), kbus.Request("$.Hung", ""))
		must(t, err)
		_, err = r.Receive(t.Context())
		must(t, err)
		must(t, k.Close())
	}
	await(t, func(o *kbus.Observer) bool {
		all, err := o.List(t.Context())
		return err == nil && len(all) == 1
	})
	want := regexp.MustCompile(` unanswered \S+ \(Ksock ` + fmt.Sprint(r.ID()) + `, pid ` + strconv.Itoa(os.Getpid()) + `\) has read 3 Requests and not answered them; who asked waits no longer\n$`)
	if got := kbusOK(t, "monitor", "--unanswered", "--count", "1", "--for", "10s"); !want.MatchString(got) {
		t.Error(got)
	}
	var got struct {
		Earlier int
		By      *struct{}
		Owe     []struct{ Ksock uint32 }
	}
	must(t, json.Unmarshal([]byte(kbusOK(t, "monitor", "--unanswered", "--count", "1", "--for", "10s", "--json")), &got))
	if got.Earlier != 3 || got.By != nil || len(got.Owe) != 1 || got.Owe[0].Ksock != uint32(r.ID()) {
		t.Errorf("%+v", got)
	}
}

// A monitor accuses nobody of what it has not seen: not when events were lost, and not when it has been stopped.
func TestMonitorAccusesNobody(t *testing.T) {
	withDaemon(t, 1)
	o, err := kbus.Observe(t.Context(), 0)
	must(t, err)
	defer o.Close()
	var out strings.Builder
	of := newWatched(0)
	began := time.Now()
	m := &monitoring{view: view{line: newLine(), wish: wish{unanswered: true}, text: &out, waits: time.Second, of: &of}, observer: o, ticked: began}
	request := func(serial uint32, at time.Duration, lost uint64) {
		e := &kbus.Event{Event: kbus.EventSent, Time: began.Add(at), By: kbus.Peer{Ksock: 7}, Lost: lost, Message: *kbus.Request("$.A", "")}
		e.ID = kbus.ID{Serial: serial}
		must(t, m.take(t.Context(), e))
	}
	look := func(from, to time.Duration) string {
		t.Helper()
		out.Reset()
		for at := from; at < to; at += monitorTick {
			must(t, m.look(t.Context(), began.Add(at)))
		}
		return out.String()
	}
	request(1, 0, 0)
	request(2, 500*time.Millisecond, 9) // the answer to the first may be among those
	if got := look(monitorTick, 2*monitorTick); got != "" || m.earlier.asked == nil {
		t.Errorf("%q; what was sent before the loss is looked for: %v", got, m.earlier.asked != nil)
	}
	if got := look(2*monitorTick, 1300*time.Millisecond); got != "" {
		t.Error(got)
	}
	if got := look(time.Hour, time.Hour+900*time.Millisecond); got != "" { // it was stopped
		t.Error(got)
	}
	if got := look(time.Hour+time.Second, time.Hour+1100*time.Millisecond); strings.Count(got, "\n") != 1 || !strings.Contains(got, "$.A [0:2]") {
		t.Error(got)
	}
}

// Who follows a Request does not take another's for it, which was refused and has the same id.
func TestFollowBesideARefusalOfTheSameID(t *testing.T) {
	var out strings.Builder
	of := newWatched(0)
	m := &view{line: newLine(), wish: wish{follow: "0:1"}, text: &out, of: &of}
	for _, e := range []*kbus.Event{
		{Event: kbus.EventSent, By: kbus.Peer{Ksock: 1}, Replier: 9},
		{Event: kbus.EventSent, By: kbus.Peer{Ksock: 2}, Err: kbus.ErrNoReplier},
	} {
		e.ID, e.Flags, e.Message.Name = kbus.ID{Serial: 1}, kbus.WantAReply, "$.A"
		must(t, m.event(t.Context(), e))
	}
	if m.printed != 1 || m.count != 0 || strings.Contains(out.String(), "refused") {
		t.Errorf("it would end after %d lines: %s", m.count, &out)
	}
}
