package play

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"sync"

	"kbus.example/kbus"
)

// An actor is a process with one Ksock. It knows nothing of the play: it carries out its cues, with the public library
// that any program would use, and prints what it sees. It keeps between cues only what a real program would: the last
// message, the last Reply, what it is about to send, and how many heads it has counted.
type actor struct {
	out func(utterance)
	bus uint32
	dir string

	ksock  *kbus.Ksock
	last   *kbus.Message // read last
	asked  *kbus.Message // the last Request that wants us to reply
	answer *kbus.Message // the last Reply
	draft  *kbus.Message // made, and to be sent next
	heads  int
}

// Act carries out the cues that come from in, until there are no more, and writes what the actor says to out. It
// returns an error only when it could not speak or hear the director.
func Act(ctx context.Context, bus uint32, dir string, in io.Reader, out io.Writer) error {
	ctx, leave := context.WithCancel(ctx)
	var mouth sync.Mutex // while listening, the actor may have two things to say at once
	var broken error
	encoder := json.NewEncoder(out)
	a := &actor{bus: bus, dir: dir, out: func(u utterance) {
		mouth.Lock()
		defer mouth.Unlock()
		broken = errors.Join(broken, encoder.Encode(u))
	}}
	var ears sync.WaitGroup
	defer func() {
		leave()
		ears.Wait()
		if a.ksock != nil {
			_ = a.ksock.Close() // a second close is harmless
		}
	}()
	for lines := bufio.NewScanner(in); lines.Scan(); {
		var c cue
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			return err
		}
		if c.Do == listen {
			ears.Go(func() { a.hearAll(ctx) })
		} else if err := a.perform(ctx, c); err != nil {
			a.out(utterance{Failed: err.Error()})
			continue
		}
		a.out(utterance{Done: true})
	}
	mouth.Lock()
	defer mouth.Unlock()
	return broken
}
