package loop

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"sync/atomic"
	"testing"

	"kbus.example/kbus/internal/testing/rawclient"
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// The victim is this test program once more, as a process of its own that can be killed. It performs the first steps of
// stages, says so, and waits for its end.
const (
	victimPath  = "KBUS_TEST_VICTIM_SOCKET"
	victimSteps = "KBUS_TEST_VICTIM_STEPS"
)

func TestMain(m *testing.M) {
	if path := os.Getenv(victimPath); path != "" {
		steps, _ := strconv.Atoi(os.Getenv(victimSteps))
		v := &victim{path: path}
		for _, stage := range stages[:steps] {
			stage.do(v)
		}
		fmt.Println("ready")
		select {}
	}
	runtime.GOMAXPROCS(max(2, runtime.GOMAXPROCS(0))) // as a server has it: one for the loop, and one for the rest
	os.Exit(m.Run())
}

type victim struct {
	path string
	c    *rawclient.Client
}

// stages are what a client with rings goes through, in steps as small as can be told apart from outside. From the one
// called "bound" on, a Request to $.Victim is on its way or in its queue.
var stages = []struct {
	name string
	do   func(*victim)
}{
	{"connected", func(v *victim) { v.c = rawclient.Dial(new(intruder), v.path) }},
	{"has asked for rings", func(v *victim) {
		v.c.Put(wire.OpHello, 3, wire.AppendHello(nil, wire.Hello{Lowest: 1, Highest: 1, Features: wire.FeatureRings}))
	}},
	{"has rings", func(v *victim) { v.c.Close(); v.c = rawclient.OpenRings(new(intruder), v.path) }},
	{"has put half a frame into the ring", func(v *victim) { v.c.Rings.Append(bindVictim[:9]) }},
	{"has announced half a frame", func(v *victim) { v.c.Rings.Announce() }},
	{"has announced it whole without ringing", func(v *victim) {
		v.c.Rings.Append(bindVictim[9:])
		atomic.StoreUint32(v.c.Rings.Word(rawclient.UpTail), v.c.Rings.Tail)
	}},
	{"bound", func(v *victim) { v.c.Rings.Ring(); v.c.Next() }},
	{"sleeps", func(v *victim) { v.c.Doze() }},
	{"has claimed the Request and not given it back", func(v *victim) {
		for !v.c.Rings.Showing() {
			v.c.Doze()
		}
		state := v.c.Rings.Word(rawclient.WindowState)
		atomic.AddUint32(state, 1)
	}},
	{"has given it back", func(v *victim) { atomic.StoreUint32(v.c.Rings.Word(rawclient.WindowReleased), 1) }},
	{"has put half a Reply into the ring", func(v *victim) {
		v.c.Rings.Append(frame(wire.OpSendMessage, 9, 0, announcement("$.Never", "sent"))[:40])
	}},
	{"has filled the ring to the bus", func(v *victim) {
		for v.c.Rings.Append(frame(wire.OpReset, 9, 0, nil)) > 0 {
		}
		atomic.StoreUint32(v.c.Rings.Word(rawclient.UpStranded), 1)
	}},
}

var bindVictim = frame(wire.OpBind, 2, 1, []byte("$.Victim"))

const boundStage, takenStage = 7, 9

// A client that is killed at any step leaves nothing behind, its Ksock closes, and a Request that it was to answer
// gets its one Status (R5.5).
func TestKilledWithRings(t *testing.T) {
	b := start(t, nil)
	by := b.bystanders(true)
	for n := range len(stages) + 1 {
		name := "started"
		if n > 0 {
			name = stages[n-1].name
		}
		t.Run(name, func(t *testing.T) {
			child := exec.Command(os.Args[0])
			child.Env = append(os.Environ(), victimPath+"="+b.socket, victimSteps+"="+strconv.Itoa(n))
			out, err := child.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := child.Start(); err != nil {
				t.Fatal(err)
			}
			if n >= boundStage {
				for by.asker.Must(wire.OpReplier, 0, []byte("$.Victim")).Arg == 0 {
				}
				by.asker.Put(wire.OpCall, 0, request("$.Victim", "are you there?"))
			}
			if _, err := out.Read(make([]byte, 6)); err != nil {
				t.Fatal(err)
			}
			if err := child.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			child.Wait()
			if n >= boundStage {
				want := message.NameGoneAway
				if n >= takenStage { // a take is what Next is: the Request has been read
					want = message.NameIgnored
				}
				if m := by.asker.Next().Parse(t); m.Name != want {
					t.Errorf("instead of %s: %v", want, m.String())
				}
			}
			by.alone()
			by.talk()
		})
	}
}
