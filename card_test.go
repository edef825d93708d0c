package kbus_test

import (
	"errors"
	"strings"
	"testing"

	"kbus.example/kbus"
	"kbus.example/kbus/message"
)

// A card is there as long as the Replier is, and tells what it was given.
func TestDescribe(t *testing.T) {
	b := kbus.NewBus()
	defer b.Close()
	k, err := b.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	o := k.Observer()
	card := func(name string) kbus.Card {
		t.Helper()
		c, err := o.Card(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		if c == nil {
			return kbus.Card{}
		}
		return *c
	}
	for _, c := range []kbus.Card{
		{Description: "locks <the> door", ContentType: "application/json", Schema: `{"type":"boolean"}`},
		{Schema: "message Lock { }"},
		{},
	} {
		if err := kbus.Describe(t.Context(), k, "$.Door.*", c); !errors.Is(err, kbus.ErrNotBound) {
			t.Errorf("not bound: %v", err)
		}
		if err := k.Bind(t.Context(), "$.Door.*", kbus.Replier); err != nil {
			t.Fatal(err)
		}
		if err := kbus.Describe(t.Context(), k, "$.Door.*", c); err != nil {
			t.Fatal(err)
		}
		if got := card("$.Door.Lock"); got != c || card("$.Door.*") != c || card("$.Door") != (kbus.Card{}) {
			t.Errorf("the card is %+v, not %+v", got, c)
		}
		if err := k.Unbind(t.Context(), "$.Door.*", kbus.Replier); err != nil {
			t.Fatal(err)
		}
		if got := card("$.Door.Lock"); got != (kbus.Card{}) {
			t.Errorf("unbound: %+v", got)
		}
	}
	if err := k.Bind(t.Context(), "$.Door", kbus.Replier); err != nil {
		t.Fatal(err)
	}
	if err := kbus.Describe(t.Context(), k, "$.Door", kbus.Card{Schema: strings.Repeat("x", message.MaxCardBytes)}); !errors.Is(err, kbus.ErrMessageTooLong) {
		t.Errorf("a long card: %v", err)
	}
	err = kbus.Describe(t.Context(), k, "$.Door", kbus.Card{ContentType: "a\nb"})
	if want := "kbus: describe $.Door: the message is malformed: 1:16: contentType: one line"; !errors.Is(err, kbus.ErrMalformed) || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("a bad card: %v", err)
	}
	if _, err := o.Card(t.Context(), "Door"); !errors.Is(err, kbus.ErrBadName) {
		t.Errorf("no name: %v", err)
	}
}

func TestParseCard(t *testing.T) {
	c, err := kbus.ParseCard([]byte("{\"contentType\": \"text/plain\",\n \"schema\": {\"a\": 1}}"))
	if err != nil || c.Schema != `{"a":1}` {
		t.Errorf("%+v, %v", c, err)
	}
	_, err = kbus.ParseCard([]byte("{\n \"Schema\": 1}"))
	var m *kbus.CardMistake
	if !errors.As(err, &m) || m.Line != 2 || m.Column != 2 {
		t.Errorf("%v", err)
	}
}
