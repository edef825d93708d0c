package main

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"kbus.example/kbus"
	"kbus.example/kbus/internal/top"
)

// A message as a JSON object. What is not set is left out. JSON has no bytes, so data that is not text is in base64,
// under another key, so that the two cannot be mistaken.

type jsonMessage struct {
	Kind       string     `json:"kind"`
	Name       string     `json:"name"`
	ID         string     `json:"id,omitempty"` // network:serial, as everywhere
	InReplyTo  string     `json:"in_reply_to,omitempty"`
	To         uint32     `json:"to,omitempty"`
	From       uint32     `json:"from,omitempty"`
	OrigFrom   string     `json:"orig_from,omitempty"` // network,local
	FinalTo    string     `json:"final_to,omitempty"`
	Flags      uint32     `json:"flags"`
	YouReply   bool       `json:"wants_us_to_reply,omitempty"`
	Data       *string    `json:"data,omitempty"`        // when it is text
	DataBase64 []byte     `json:"data_base64,omitempty"` // when it is not
	Event      *jsonEvent `json:"replier_bind_event,omitempty"`
	Parent     string     `json:"traceparent,omitempty"`
	State      string     `json:"tracestate,omitempty"`
	Missed     uint32     `json:"missed,omitempty"` // messages, just before this one
	PID        uint32     `json:"pid,omitempty"`    // of its sender
	UID        *uint32    `json:"uid,omitempty"`    // 0 is a user too
	Program    string     `json:"program,omitempty"`
	Came       string     `json:"came,omitempty"` // when it was received
}

type jsonEvent struct {
	Bind   bool   `json:"bind"`
	Binder uint32 `json:"binder"`
	Name   string `json:"name"`
}

func messageJSON(m *kbus.Message) *jsonMessage {
	j := &jsonMessage{
		Kind: m.Kind().String(), Name: m.Name, ID: plainID(m.ID), InReplyTo: plainID(m.InReplyTo), To: uint32(m.To), From: uint32(m.From),
		OrigFrom: plainOrigin(m.OrigFrom), FinalTo: plainOrigin(m.FinalTo), Flags: uint32(m.Flags),
		YouReply: m.WantsUsToReply(), Missed: m.Missed,
	}
	if !m.Trace.Empty() {
		j.Parent, j.State = strings.ToValidUTF8(m.Trace.Parent, "?"), strings.ToValidUTF8(m.Trace.State, "?")
	}
	if utf8.Valid(m.Data) {
		text := string(m.Data)
		j.Data = &text
	} else {
		j.DataBase64 = m.Data
	}
	if e, isEvent := kbus.ParseBindEvent(m.Data); isEvent && m.Name == kbus.NameReplierBindEvent {
		j.Event = &jsonEvent{e.Bind, uint32(e.Binder), e.Name}
	}
	return j
}

// plainID is empty for an id that is not set.
func plainID(id kbus.ID) string {
	if id.IsZero() {
		return ""
	}
	return top.ID(id)
}

func plainOrigin(o kbus.Origin) string {
	if o.IsZero() {
		return ""
	}
	return fmt.Sprintf("%d,%d", o.Network, o.Local)
}
