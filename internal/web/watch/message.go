package watch

import (
	"time"
	"unicode/utf8"

	"kbus.example/kbus"
	"kbus.example/kbus/internal/top"
)

// message is one that was sent, as the page gets it. What is not set is left out, and data that is not text is in base64 under
// another key, as in `kbus monitor --json`.
type message struct {
	Number  uint64  `json:"n"`    // of all that this watch has seen, on this bus
	Time    float64 `json:"time"` // milliseconds since 1970
	Kind    string  `json:"kind"` // Announcement, Request, Reply or Status
	Name    string  `json:"name"`
	ID      string  `json:"id,omitempty"`
	Answers string  `json:"in_reply_to,omitempty"`
	From    uint32  `json:"from,omitempty"` // 0: the bus itself
	To      uint32  `json:"to,omitempty"`   // of a Reply or Status; of a Request that went: its Replier
	Program string  `json:"program,omitempty"`
	outcome
	body
}

// outcome is what became of it.
type outcome struct {
	Reached uint32   `json:"reached"`
	Skipped uint32   `json:"skipped,omitempty"`
	Refused *refusal `json:"refused,omitempty"`
}

// refusal is why something was not done.
type refusal struct {
	Condition string `json:"condition"`
	Why       string `json:"why"`
}

// body is as much of the data as may be shown.
type body struct {
	Bytes      uint32 `json:"bytes"` // of all of it
	Data       string `json:"data,omitempty"`
	DataBase64 []byte `json:"data_base64,omitempty"`
}

func newMessage(e *kbus.Event, number uint64) *message {
	m := &message{
		Number: number, Time: milliseconds(e.Time), Kind: kindOf(e), Name: e.Message.Name, From: uint32(e.By.Ksock), To: uint32(e.To),
		Program: e.By.Program, outcome: outcome{Reached: e.Reached, Skipped: e.Skipped, Refused: refusalOf(e)}, body: newBody(e),
	}
	if !e.ID.IsZero() {
		m.ID = top.ID(e.ID)
	}
	if !e.InReplyTo.IsZero() {
		m.Answers = top.ID(e.InReplyTo)
	}
	if e.Replier != 0 {
		m.To = uint32(e.Replier)
	}
	return m
}

func kindOf(e *kbus.Event) string {
	if e.Event == kbus.EventStatus {
		return "Status"
	}
	return e.Kind().String()
}

func refusalOf(e *kbus.Event) *refusal {
	if e.Err == nil || e.Err == error(kbus.ErrPending) {
		return nil
	}
	r := &refusal{Why: e.Err.Error()}
	if c, ok := e.Err.(kbus.Condition); ok {
		r.Condition = c.Name()
	}
	return r
}

// newBody leaves out the part of a character that the daemon has cut.
func newBody(e *kbus.Event) body {
	text := e.Data
	if len(text) < int(e.DataBytes) {
		for n := 1; n < utf8.UTFMax && n <= len(text); n++ {
			if tail := text[len(text)-n:]; utf8.RuneStart(tail[0]) {
				if !utf8.FullRune(tail) {
					text = text[:len(text)-n]
				}
				break
			}
		}
	}
	if utf8.Valid(text) {
		return body{Bytes: e.DataBytes, Data: string(text)}
	}
	return body{Bytes: e.DataBytes, DataBase64: e.Data}
}

func milliseconds(t time.Time) float64 { return float64(t.UnixMicro()) / 1000 }
