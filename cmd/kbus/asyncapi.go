package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"kbus.example/kbus"
	"kbus.example/kbus/message"
)

// An AsyncAPI 3 document of the names of a bus: a channel and an operation for each binding of a Replier. What is KBUS's own stands
// in bindings called x-kbus, for tools refuse bindings that they do not know. A wildcard is a parameter of the address.

type asyncDocument struct {
	AsyncAPI   string                    `json:"asyncapi"`
	Info       asyncInfo                 `json:"info"`
	Servers    map[string]asyncServer    `json:"servers"`
	Channels   map[string]asyncChannel   `json:"channels"`
	Operations map[string]asyncOperation `json:"operations"`
}

type asyncInfo struct {
	Title       string `json:"title"`
	Version     string `json:"version"`
	Description string `json:"description"`
}

type asyncServer struct {
	Host     string        `json:"host"`
	Protocol string        `json:"protocol"`
	Bindings asyncBindings `json:"bindings"`
}

type asyncBindings struct {
	KBUS asyncKBUS `json:"x-kbus"`
}

// asyncKBUS is what is KBUS's own: of the server the number of the bus, else the name, and a schema that is no JSON Schema.
type asyncKBUS struct {
	Bus    *uint32 `json:"bus,omitempty"`
	Name   string  `json:"name,omitempty"`
	Schema string  `json:"schema,omitempty"`
}

type asyncChannel struct {
	Address    string                  `json:"address"`
	Parameters map[string]asyncWord    `json:"parameters,omitempty"`
	Messages   map[string]asyncMessage `json:"messages"`
	Bindings   asyncBindings           `json:"bindings"`
}

type asyncWord struct {
	Description string `json:"description"`
}

type asyncMessage struct {
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	ContentType string          `json:"contentType,omitempty"`
	Payload     json.RawMessage `json:"payload,omitempty"`
	Bindings    *asyncBindings  `json:"bindings,omitempty"`
}

type asyncOperation struct {
	Action   string        `json:"action"`
	Channel  asyncRef      `json:"channel"`
	Messages []asyncRef    `json:"messages"`
	Reply    asyncReply    `json:"reply"`
	Bindings asyncBindings `json:"bindings"`
}

type asyncReply struct {
	Channel  asyncRef   `json:"channel"`
	Messages []asyncRef `json:"messages"`
}

type asyncRef struct {
	Ref string `json:"$ref"`
}

// asyncAPI prints the document of all Repliers whose names the pattern covers, but those of KBUS itself.
func asyncAPI(ctx context.Context, l *line, o *kbus.Observer, pattern string) error {
	list, err := o.Bindings(ctx)
	if err != nil {
		return err
	}
	bus := uint32(o.Bus())
	d := asyncDocument{
		AsyncAPI: "3.0.0",
		Info: asyncInfo{Title: fmt.Sprintf("KBUS bus %d", bus), Version: kbus.Version,
			Description: "Names that have a Replier, as it describes them. Whoever sends a Request gets a Reply of the same name, or a Status."},
		Servers:    map[string]asyncServer{fmt.Sprintf("bus%d", bus): {Host: "localhost", Protocol: "kbus", Bindings: asyncBindings{asyncKBUS{Bus: &bus}}}},
		Channels:   map[string]asyncChannel{},
		Operations: map[string]asyncOperation{},
	}
	list = slices.DeleteFunc(list, func(b kbus.BindingInfo) bool {
		return b.As != kbus.Replier || !message.Covers(pattern, b.Name) || strings.HasPrefix(b.Name, "$.KBUS.")
	})
	for _, b := range list {
		card, err := o.Card(ctx, b.Name)
		if err != nil {
			return err
		}
		if card == nil {
			card = &kbus.Card{}
		}
		d.add(b.Name, card)
	}
	encoder := json.NewEncoder(l.out)
	encoder.SetEscapeHTML(false)
	if !l.JSON { // a line of its own
		encoder.SetIndent("", "  ")
	}
	return encoder.Encode(d)
}

// add adds a name. Two names have two ids: a wildcard is an empty word and one more, which no name has.
func (d *asyncDocument) add(name string, card *kbus.Card) {
	own := asyncBindings{asyncKBUS{Name: name}}
	channel := asyncChannel{Address: name, Bindings: own}
	id := strings.TrimPrefix(name, "$.")
	for wildcard, word := range map[string][2]string{"%": {"word", "one word"}, "*": {"words", "one or more words, with dots between"}} {
		if before, ok := strings.CutSuffix(name, wildcard); ok {
			channel.Address = before + "{" + word[0] + "}"
			channel.Parameters = map[string]asyncWord{word[0]: {word[1]}}
			id = strings.TrimSuffix(id, wildcard) + "." + word[0]
		}
	}
	request := asyncMessage{Name: "request", Description: card.Description, ContentType: card.ContentType}
	var object map[string]any // nothing else may stand there
	if json.Unmarshal([]byte(card.Schema), &object) == nil && object != nil {
		request.Payload = json.RawMessage(card.Schema)
	} else if card.Schema != "" {
		request.Bindings = &asyncBindings{asyncKBUS{Schema: card.Schema}}
	}
	channel.Messages = map[string]asyncMessage{"request": request, "reply": {Name: "reply"}}
	ref := asyncRef{"#/channels/" + id}
	message := func(which string) []asyncRef { return []asyncRef{{ref.Ref + "/messages/" + which}} }
	d.Channels[id] = channel
	d.Operations[id] = asyncOperation{Action: "receive", Channel: ref, Messages: message("request"),
		Reply: asyncReply{ref, message("reply")}, Bindings: own}
}
