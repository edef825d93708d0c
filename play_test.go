package kbus_test

import (
	"testing"

	"kbus.example/kbus"
)

// The introduction, as a program would perform it: every line that its actors print, and in passing most operations.
func TestIntroduction(t *testing.T) { onAll(t, introduction) }

func introduction(w *world) {
	const speak, ask, toss = "$.Actor.Speak", "$.Actor.Ask.Guildenstern", "$.Actor.CoinToss"
	r := w.ksock()
	is(w, "R", r.String(), "Ksock device 0, id 1, mode read/write")
	say := func(k *kbus.Ksock, data string, serial, reached uint32) {
		w.Helper()
		sent := w.send(k, kbus.Announcement(speak, data))
		is(w, data, sent, kbus.Sent{ID: kbus.ID{Serial: serial}, Reached: reached})
	}
	say(r, "Ahem", 1, 0)

	a := w.bound(kbus.Listener, speak)
	say(r, "Ahem", 2, 1)
	w.reads(a, "<Announcement '$.Actor.Speak', id=[0:2], from=1, data='Ahem'>")
	say(r, "Hello there", 3, 1)
	say(r, "Can you hear me?", 4, 1)
	w.reads(a,
		"<Announcement '$.Actor.Speak', id=[0:3], from=1, data='Hello there'>",
		"<Announcement '$.Actor.Speak', id=[0:4], from=1, data='Can you hear me?'>")

	g := w.bound(kbus.Listener, "$.Actor.*")
	is(w, "G", g.String(), "Ksock device 0, id 3, mode read/write")
	w.must(a.Bind(w.Context(), "$.Actor.*", kbus.Listener))
	w.must(r.Bind(w.Context(), "$.Actor.*", kbus.Listener))
	say(g, "Pssst!", 5, 4)
	pssst := "<Announcement '$.Actor.Speak', id=[0:5], from=3, data='Pssst!'>"
	w.reads(g, pssst)
	w.reads(r, pssst)
	w.reads(a, pssst, pssst) // two bindings match

	w.must(a.Unbind(w.Context(), speak, kbus.Listener))
	w.must(g.Bind(w.Context(), ask, kbus.Replier))
	w.send(r, kbus.Request(ask, "Were you speaking to me?"))
	asked := "<Request '$.Actor.Ask.Guildenstern', id=[0:6], from=1, flags=0x1 (REQ), data='Were you speaking to me?'>"
	w.reads(r, asked)
	w.must(r.Unbind(w.Context(), "$.Actor.*", kbus.Listener))
	request, err := g.Next(w.Context())
	w.must(err)
	is(w, "G's copy", request.String(),
		"<Request '$.Actor.Ask.Guildenstern', id=[0:6], from=1, flags=0x3 (REQ,YOU), data='Were you speaking to me?'>")
	is(w, "wants us to reply", request.WantsUsToReply(), true)
	w.reads(g, asked)
	w.must(g.Unbind(w.Context(), "$.Actor.*", kbus.Listener))

	answer := func(request *kbus.Message, data string) *kbus.Message {
		w.Helper()
		reply, err := request.Reply([]byte(data))
		w.must(err)
		w.send(g, reply)
		return reply
	}
	is(w, "the unsent Reply", answer(request, "Yes, yes I was").String(),
		"<Reply '$.Actor.Ask.Guildenstern', to=1, in_reply_to=[0:6], data='Yes, yes I was'>")
	replied := "<Reply '$.Actor.Ask.Guildenstern', id=[0:7], to=1, from=3, in_reply_to=[0:6], data='Yes, yes I was'>"
	w.reads(r, replied)
	w.reads(a, asked, replied)

	w.send(r, kbus.Request(ask, "Will you count heads for me?"))
	request, err = g.Receive(w.Context())
	w.must(err)
	answer(request, "Yes, yes I shall")
	w.must(g.Bind(w.Context(), toss, kbus.Replier))
	earlier, err := r.Receive(w.Context())
	w.must(err)
	is(w, "the answer", string(earlier.Data), "Yes, yes I shall")

	head := func() *kbus.Message {
		w.Helper()
		m, err := earlier.StatefulRequest(toss, []byte("Head"))
		w.must(err)
		return m
	}
	is(w, "the unsent toss", head().String(), "<Request '$.Actor.CoinToss', to=3, flags=0x1 (REQ), data='Head'>")
	is(w, "the toss", w.send(r, head()).ID, kbus.ID{Serial: 10})
	request = w.reads(g, "<Request '$.Actor.CoinToss', id=[0:10], to=3, from=1, flags=0x3 (REQ,YOU), data='Head'>")
	answer(request, "Head count is 1")
	earlier = w.reads(r,
		"<Reply '$.Actor.CoinToss', id=[0:11], to=1, from=3, in_reply_to=[0:10], data='Head count is 1'>")
	w.send(r, head())
	request = w.reads(g, "<Request '$.Actor.CoinToss', id=[0:12], to=3, from=1, flags=0x3 (REQ,YOU), data='Head'>")
	answer(request, "Head count is 2")
	w.reads(r, "<Reply '$.Actor.CoinToss', id=[0:13], to=1, from=3, in_reply_to=[0:12], data='Head count is 2'>")

	g.Close()
	is(w, "G, closed", g.String(), "Ksock device 0 (closed)")
	f := w.bound(kbus.Replier, toss)
	is(w, "F", f.ID(), 4)
	_, err = r.Send(w.Context(), head())
	w.fails(err, kbus.ErrOtherReplier)
	is(w, "the error", err.Error(),
		"kbus: send $.Actor.CoinToss: the Replier with that id is no longer bound to the name")

	if n, err := a.Queue().Len(w.Context()); err != nil || n != 6 {
		w.Errorf("A has %d messages to read, not 6 (%v)", n, err)
	}
	w.reads(r)
	w.reads(f)
}
