package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"kbus.example/kbus"
	"kbus.example/kbus/cmd/internal/cli"
	"kbus.example/kbus/internal/plain"
	"kbus.example/kbus/internal/requests"
)

// dataForm is how data is shown.
type dataForm string

const (
	dataText dataForm = "text"
	dataHex  dataForm = "hex"
	dataNone dataForm = "none"
)

var dataForms = [...]string{string(dataText), string(dataHex), string(dataNone)}

func (d *dataForm) Type() string   { return "FORM" }
func (d *dataForm) String() string { return string(*d) }

func (d *dataForm) Set(text string) error {
	for _, known := range dataForms {
		if text == known {
			*d = dataForm(text)
			return nil
		}
	}
	return errors.New("it is text, hex or none")
}

// print prints an event. about is the Request that it is about, if any.
func (m *view) print(ctx context.Context, e *kbus.Event, about *requests.Request) error {
	m.printed++
	text := m.decode.text(ctx, m.line, e)
	if m.JSON {
		return cli.WriteJSON(m.text, eventJSON(m.of.bus, e, about, text))
	}
	line := m.circumstances(e.Time)
	if e.By.Ksock != 0 {
		line.sender = &e.By
	}
	_, err := fmt.Fprintln(m.text, line.before(m.colours)+m.sentence(e, about, text))
	return err
}

// circumstances are those of a line about that time.
func (m *view) circumstances(at time.Time) circumstances {
	c := circumstances{came: at}
	if m.namesBus {
		c.bus = &m.of.bus
	}
	return c
}

// sentence says what happened.
func (m *view) sentence(e *kbus.Event, about *requests.Request, decoded string) string {
	role := "Listener"
	if e.AsReplier {
		role = "Replier"
	}
	text := ""
	switch e.Event {
	case kbus.EventOpened:
		text = fmt.Sprintf("opened Ksock %d", e.By.Ksock)
	case kbus.EventClosed:
		text = fmt.Sprintf("closed Ksock %d", e.By.Ksock)
	case kbus.EventBound:
		text = fmt.Sprintf("bound Ksock %d as %s to %s", e.By.Ksock, role, e.Message.Name)
	case kbus.EventUnbound:
		text = fmt.Sprintf("unbound Ksock %d as %s from %s", e.By.Ksock, role, e.Message.Name)
	case kbus.EventTaken:
		text = "took " + m.shown(e, "")
	default:
		text = m.shown(e, decoded)
	}
	if e.Event == kbus.EventSent || e.Event == kbus.EventStatus {
		text += reach(e)
	}
	if about != nil && (about.Answered || e.Event == kbus.EventTaken) && !e.Time.Equal(about.Sent) {
		text += m.colours.paint(dim, fmt.Sprintf(" after %v", e.Time.Sub(about.Sent).Round(time.Microsecond)))
	}
	switch {
	case e.Err == error(kbus.ErrPending):
		text += " " + m.colours.paint(yellow, "waits for room")
	case e.Err != nil:
		text += " " + m.colours.paint(red, "refused: "+e.Err.Error())
	}
	return text
}

// reach says whom a message reached.
func reach(e *kbus.Event) (text string) {
	if e.Err != nil {
		return ""
	}
	text = fmt.Sprintf(" reached %d", e.Reached)
	if e.Skipped > 0 {
		text += fmt.Sprintf(", skipped %d", e.Skipped)
	}
	if e.SetAside > 0 {
		text += fmt.Sprintf(", set aside for %d", e.SetAside)
	}
	return text
}

// shown is the message in one line, its data in the form that is wanted.
func (m *view) shown(e *kbus.Event, decoded string) string {
	whole := e.Message
	data := ""
	switch {
	case decoded != "":
		data = decoded
	case m.data == dataHex && len(whole.Data) > 0:
		data = hex.EncodeToString(whole.Data)
	case len(whole.Data) == 0 && e.DataBytes > 0:
		data = fmt.Sprintf("<%s>", plural(e.DataBytes, "byte"))
	default:
		return m.colourful(legible(&whole))
	}
	whole.Data = nil
	head, _ := strings.CutSuffix(m.colourful(legible(&whole)), ">")
	if strings.Contains(data, "\n") {
		return head + ">\n    " + strings.ReplaceAll(plain.Text(data), "\n", "\n    ")
	}
	return head + ", data=" + plain.Text(data) + ">"
}

// printOverdue tells of a Request that nobody has answered yet.
func (m *view) printOverdue(r *requests.Request, now time.Time) error {
	m.printed++
	if m.JSON {
		return cli.WriteJSON(m.text, overdueJSON(m.of.bus, r, m.replier(r), now))
	}
	owes := "it waits for room in its Replier's queue"
	if p := m.replier(r); p != nil {
		owes = partyText(partyOf(p)) + " owes the answer"
	}
	_, err := fmt.Fprintf(m.text, "%s%s %s of %s, sent %v ago: %s\n", m.circumstances(now).before(m.colours),
		m.colours.paint(red, "unanswered"), r.Name+" "+r.ID.String(), partyText(partyOf(&r.By)),
		now.Sub(r.Sent).Round(time.Millisecond), owes)
	return err
}

// replier is who owes the answer; nil: nobody has the Request yet.
func (m *view) replier(r *requests.Request) *kbus.Peer {
	if r.Replier == 0 {
		return nil
	}
	if m.peerOf != nil {
		if p, err := m.peerOf(r.Replier); err == nil {
			return &p
		}
	}
	return &kbus.Peer{Ksock: r.Replier}
}

// printLost says where something is missing.
func (m *view) printLost(e *kbus.Event, after string) error {
	if m.JSON {
		return cli.WriteJSON(m.text, lossJSON{m.of.bus, e.Lost})
	}
	if m.namesBus {
		after += fmt.Sprintf(" on bus %d", m.of.bus)
	}
	_, err := fmt.Fprintln(m.text, m.colours.paint(red, plural(e.Lost, "event")+" missed "+after+": they came too fast"))
	return err
}
