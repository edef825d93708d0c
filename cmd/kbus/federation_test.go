package main

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"syscall"
	"testing"

	"kbus.example/kbus"
	"kbus.example/kbus/limpet/federation/report"
)

// Here somebody else stands in for the Limpet, because that can say anything. A real one is asked in cmd/kbus-limpet.

// standIn answers to the name with the text.
func standIn(t *testing.T, text string) *kbus.Ksock {
	t.Helper()
	k := openKsock(t)
	must(t, k.Bind(t.Context(), report.Name, kbus.Replier))
	go func() {
		err := k.Serve(context.Background(), func(_ context.Context, m *kbus.Message) (*kbus.Message, error) {
			reply, err := m.Reply([]byte(text))
			if err == nil {
				reply.Name = "$.Whatever"
			}
			return reply, err
		})
		if !errors.Is(err, kbus.ErrClosed) {
			t.Errorf("answering: %v", err)
		}
	}()
	return k
}

const bowlOne = `{
	"federation":"test", "id":1, "epoch":7, "policy":"strict", "server":"n1", "in_touch":true, "lease_left_seconds":9.5,
	"up_seconds":180.2, "names":3, "own":1, "to_pass_on":4, "to_deliver":5, "what another version tells":6,
	"peers":[
		{"id":2, "epoch":3, "where":"there", "names":2, "outstanding":8, "announced":1000, "lost":0},
		{"id":3, "epoch":1, "over":true, "where":"\u001b[2J\nout\u009bside", "names":0, "outstanding":0, "announced":20, "lost":9}
	]
}`

func TestListFederation(t *testing.T) {
	withDaemon(t, 1)
	standIn(t, bowlOne)
	_, below, _ := strings.Cut(kbusOK(t, "list"), "\n\n")
	if want := `bowl 1 of federation test (strict), in touch with the quorum, up 3m0s
lag: 4 messages of this bus to be passed on, 5 of others to be delivered
BOWL  EPOCH  STATE   NAMES  OUTSTANDING  ANNOUNCED  LOST  WHERE
2     3      joined  2      8            1000       0     there
3     1      left    0      0            20         9     ?[2J?out?side
`; below != want {
		t.Errorf("%s\nwant\n%s", below, want)
	}

	lines := strings.Split(kbusOK(t, "list", "--json"), "\n")
	if len(lines) != 3 || lines[2] != "" { // a Ksock, and the federation
		t.Fatalf("%q", lines)
	}
	var last struct{ Federation map[string]any }
	must(t, json.Unmarshal([]byte(lines[1]), &last))
	if last.Federation["epoch"] != 7. || last.Federation["what another version tells"] != 6. {
		t.Errorf("%s", lines[1])
	}
}

func TestListAloneWithoutQuorum(t *testing.T) {
	withDaemon(t, 1)
	standIn(t, `{"federation":"test","id":1,"policy":"available","peers":[]}`)
	if got := kbusOK(t, "list"); !strings.HasSuffix(got, `
bowl 1 of federation test (available), WITHOUT QUORUM, up 0s
lag: 0 messages of this bus to be passed on, 0 of others to be delivered
no other bowls
`) {
		t.Error(got)
	}
}

// listed runs list, in both forms: the Ksock is listed, the federation is not, and one line says why.
func listed(t *testing.T, says string) {
	t.Helper()
	for _, args := range [][]string{{"list"}, {"list", "--json"}} {
		out, said, status := ran(t, "kbus", args...)
		if status != 0 || !strings.Contains(out, "kbus") || strings.Contains(out, "bowl") || strings.Contains(out, `"federation"`) {
			t.Errorf("%v: status %d, %s", args, status, out)
		}
		if strings.Count(said, "\n") != 1 || !strings.Contains(said, "Ksock 1 (process ") || !strings.Contains(said, says) {
			t.Errorf("%v says %q, want %q", args, said, says)
		}
		if len(args) == 2 && !json.Valid([]byte(said)) {
			t.Errorf("no JSON: %s", said)
		}
	}
}

func TestListNonsense(t *testing.T) {
	for _, text := range []string{
		"", "Hello", "null", "7", "[]", "{}", bowlOne + "x", bowlOne[:len(bowlOne)-1], `{"federation":"f"}`, `{"id":1}`,
		`{"federation":"f","id":-1}`, `{"federation":"f","id":1,"peers":7}`, `{"federation":["bowl"],"id":1}`,
		`{"federation":"f","id":1,"x":"` + "\xff" + `"}`, "\x1b[2J\n\n", strings.Repeat("[", 100000),
		`{"federation":"f","id":1,"up_seconds":1e999}`,
	} {
		t.Run(text[:min(len(text), 30)], func(t *testing.T) {
			withDaemon(t, 1)
			standIn(t, text)
			listed(t, "the answer is not that of a Limpet: ")
		})
	}
}

func TestListUnanswered(t *testing.T) {
	withDaemon(t, 1)
	must(t, openKsock(t).Bind(t.Context(), report.Name, kbus.Replier))
	listed(t, "gave up after 2s: ")
}

// TestListReplierGoes: it goes while list waits for it.
func TestListReplierGoes(t *testing.T) {
	withDaemon(t, 1)
	k := openKsock(t)
	must(t, k.Bind(t.Context(), report.Name, kbus.Replier))
	list := start(t, "kbus", "list")
	_, err := k.Receive(t.Context())
	must(t, err)
	must(t, k.Close())
	if status := list.status(t); status != 0 || !strings.Contains(list.err.String(), string(kbus.ErrIgnored)) {
		t.Errorf("status %d, %s", status, &list.err)
	}
}

// TestListAnswerIsNoReply: whoever answers under $.KBUS, as kbus answer does, has sent a Status.
func TestListAnswerIsNoReply(t *testing.T) {
	withDaemon(t, 1)
	answer := start(t, "kbus", "answer", report.Name, "--with", bowlOne)
	await(t, func(o *kbus.Observer) bool { return bindings(t, o) == 1 })
	listed(t, report.Name)
	must(t, answer.Process.Signal(syscall.SIGTERM))
	if status := answer.status(t); status != 0 {
		t.Errorf("status %d, %s", status, &answer.err)
	}
}

// TestListOnlyLooks: where no Limpet is, list takes no Ksock and asks nobody, also not the Replier of a wildcard.
func TestListOnlyLooks(t *testing.T) {
	withDaemon(t, 1)
	k := openKsock(t)
	must(t, k.Bind(t.Context(), "$.*", kbus.Replier))
	if got := kbusOK(t, "list"); strings.Count(got, "\n") != 2 {
		t.Error(got)
	}
	if m, err := k.Next(t.Context()); m != nil || err != nil {
		t.Errorf("%v, %v", m, err)
	}
	if next := openKsock(t).ID(); next != k.ID()+1 {
		t.Errorf("Ksock %d came next", next)
	}
}
