package file_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"kbus.example/kbus/internal/testing/trace"
)

// Pointy messages of all kinds, with headers that say anything, are sent by a program whose memory the bus can read, and then
// by one that has to write them in one piece. What is foretold for the second comes true.
func TestPointyMessagesInOnePiece(t *testing.T) {
	for seed := range uint64(300) {
		trace := randomPointy(t, seed)
		recorded, _ := trace.Retold(startMachine, func() bool { return true })
		diverged := recorded.WithoutPointers().Replay(func(c traceConfig) traceSystem { return wholeMachine{newMachine(c)} })
		if len(diverged) > 0 {
			t.Fatalf("seed %d: %d operations diverge; the first:\n%v", seed, len(diverged), diverged[0])
		}
		if again := recorded.Replay(startMachine); len(again) > 0 {
			t.Fatalf("seed %d: %d operations diverge when they are repeated; the first:\n%v", seed, len(again), again[0])
		}
	}
}

type (
	traceConfig = trace.Config
	traceSystem = trace.System
)

// randomPointy is a trace without outcomes: two Ksocks send, one listens.
func randomPointy(t *testing.T, seed uint64) *trace.Trace {
	r := rand.New(rand.NewPCG(seed, 1))
	var lines []string
	add := func(op map[string]any) {
		op["i"], op["out"] = len(lines)-1, map[string]any{}
		text, err := json.Marshal(op)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, string(text))
	}
	lines = append(lines, `{"format":1,"semantics":"decided","ptr_bits":64,"cfg":{"kbus_num_devices":1,"MAX_NUM_DEVICES":256,`+
		`"DEF_MAX_MESSAGES":100,"ABS_MAX_MESSAGE_SIZE":409600,"DEF_MAX_MESSAGE_SIZE":400,"MAX_UNSENT_UNBIND_MESSAGES":1000,`+
		`"MAX_NAME_LEN":1000}}`)
	for k := range 3 {
		add(map[string]any{"op": "open", "k": k, "dev": 0, "mode": "rw"})
	}
	add(map[string]any{"op": "bind", "k": 2, "name": "$.*", "replier": 0})
	for range 60 {
		k := r.IntN(2)
		switch n := r.IntN(20); {
		case n < 6:
			add(map[string]any{"op": "sendmsg", "k": k, "msg": pointy(r), "chunks": []int{r.IntN(100), r.IntN(9)}[:r.IntN(3)]})
		case n < 11:
			add(map[string]any{"op": "write", "k": k, "msg": pointy(r)})
		case n < 14:
			add(map[string]any{"op": "send", "k": k})
		case n < 15:
			add(map[string]any{"op": []string{"discard", "reset"}[r.IntN(2)], "k": k})
		case n < 16:
			add(map[string]any{"op": "procstats"})
		default:
			add(map[string]any{"op": "recv", "k": 2})
		}
	}
	tr, err := trace.Parse(strings.NewReader(strings.Join(lines, "\n")))
	if err != nil {
		t.Fatal(err)
	}
	tr.File = fmt.Sprint("seed ", seed)
	return tr
}

// pointy is a message whose header may say of its name and data what is not so.
func pointy(r *rand.Rand) map[string]any {
	name := []string{"$.A", "$.Abcdef.Gh", "$.A.", "$.", "Hello", "$.A.*", "$.A b", "$.Long" + strings.Repeat("x", 200)}[r.IntN(8)]
	data := r.IntN(3) * r.IntN(9)
	m := map[string]any{"form": "pointy", "name": name, "data": map[string]any{"g": r.IntN(256), "len": data}}
	if r.IntN(2) == 0 {
		m["name_len"] = []int{0, 1, 3, 4, 5, len(name), len(name) + 1, len(name) + 2, 300, 1000, 1001}[r.IntN(11)]
	}
	if r.IntN(3) == 0 {
		m["data_len"] = []int{0, 1, data, data + 1, 200, 1 << 30, 1<<31 - 1}[r.IntN(7)]
	}
	for _, odd := range []string{"force_data_ptr", "drop_data_ptr"} {
		if r.IntN(8) == 0 {
			m[odd] = true
		}
	}
	for _, guard := range []string{"start_guard", "end_guard", "final_guard"} {
		if r.IntN(12) == 0 {
			m[guard] = []uint32{0x7375624B, 0x4B627573, 1}[r.IntN(3)]
		}
	}
	return m
}
