package main

import (
	"fmt"

	"github.com/nats-io/nats.go"

	"kbus.example/kbus/limpet/federation/envelope"
	"kbus.example/kbus/message"
)

// A member with a valid key that sends what the protocol does not allow. The others must count and drop it.

const nonsense = 6

// stranger speaks to the server with the key of member 3, from member 1's own namespace: the server is there.
func (g *gate) stranger(more ...nats.Option) (*nats.Conn, error) {
	key, err := nats.NkeyOptionFromSeed(g.keys[3])
	if err != nil {
		return nil, err
	}
	in, err := g.dial(1)
	if err != nil {
		return nil, err
	}
	return nats.Connect(gateURL, append(more, key, nats.SetCustomDialer(in), nats.RootCAs(g.flags[3][3]),
		nats.ClientCert(g.flags[3][5], g.flags[3][7]), nats.CustomInboxPrefix("_INBOX.kb3"))...)
}

// sendNonsense says things to member 1 that it must not believe.
func (g *gate) sendNonsense() error {
	nc, err := g.stranger()
	if err != nil {
		return err
	}
	defer nc.Close()
	e := envelope.Envelope{Kind: envelope.Broadcast, Member: 3, Epoch: 1, Count: 1, Message: message.Message{
		Header: message.Header{ID: message.ID{Network: 3, Serial: 1}}, Name: "$.A.B", Data: []byte("data"),
	}}
	spoilt := func(at int, value byte) []byte {
		b := e.Append(nil)
		b[at] = value
		return b
	}
	forged := e
	forged.Member = 2
	for i, b := range [nonsense][]byte{
		nil, []byte("hello"), spoilt(52, 0xFF), spoilt(56, 0xFF), spoilt(0, 0), forged.Append(nil),
	} {
		if err := nc.Publish("kb.home.a.3.A.B", b); err != nil {
			return fmt.Errorf("nonsense %d: %w", i, err)
		}
	}
	return nc.Flush()
}
