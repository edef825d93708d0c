package play

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// The company is the processes of the actors. The director talks to one at a time and reads that one's pipe until it
// has said what it must; what another says meanwhile waits in its own pipe. So no goroutine is needed, and what is
// printed does not depend on who was quicker.
type company map[*part]*player

type player struct {
	part  *part
	run   *exec.Cmd
	stdin io.WriteCloser
	cues  *json.Encoder
	says  *json.Decoder
	log   bytes.Buffer // of the process; to be looked at when it has ended
}

// gather starts the actors. What it returns must be dismissed, even with an error.
func gather(ctx context.Context, program, dir string, cast []*part) (company, error) {
	c := company{}
	for _, part := range cast {
		p := &player{part: part, run: exec.CommandContext(ctx, program,
			"actor", part.name, "--dir", dir, "--bus", strconv.Itoa(part.bus))}
		p.run.Stderr = &p.log
		// Ctrl-C is for the director: see stage. The processes end with their standard input, so nobody needs to
		// end them should the director die.
		p.run.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		stdin, err1 := p.run.StdinPipe()
		stdout, err2 := p.run.StdoutPipe()
		if err := errors.Join(err1, err2); err != nil {
			return c, err
		}
		if err := p.run.Start(); err != nil {
			return c, err
		}
		p.stdin, p.cues, p.says = stdin, json.NewEncoder(stdin), json.NewDecoder(stdout)
		c[part] = p
	}
	return c, nil
}

// dismiss lets all go, and waits until they have.
func (c company) dismiss() {
	for _, p := range c {
		_ = p.stdin.Close()
	}
	for _, p := range c {
		_ = p.run.Wait() // the play is over; their exit statuses do not matter
	}
}

// play has the actor do one beat.
func (p *player) play(to page, b beat) error {
	if b.direction != "" {
		to.direction(p.part, b.direction)
	}
	for _, cue := range b.cues {
		if err := p.cues.Encode(cue); err != nil {
			return p.lost(err)
		}
		for done := false; !done; {
			u, err := p.hear()
			if err != nil {
				return err
			}
			if done = u.Done; !done {
				to.says(p.part, u.Says)
			}
		}
	}
	for range b.hears {
		u, err := p.hear()
		if err != nil {
			return err
		}
		to.says(p.part, u.Says)
	}
	return nil
}

func (p *player) hear() (u utterance, err error) {
	if err := p.says.Decode(&u); err != nil {
		return u, p.lost(err)
	}
	if u.Failed != "" {
		return u, fmt.Errorf("%s forgot the lines: %s", p.part.name, u.Failed)
	}
	return u, nil
}

// lost is an actor whose process ended. Its own last words say more than ours.
func (p *player) lost(err error) error {
	_ = p.stdin.Close()
	_ = p.run.Wait()
	if words := strings.TrimSpace(p.log.String()); words != "" {
		return fmt.Errorf("%s left the stage: %s", p.part.name, words)
	}
	return fmt.Errorf("%s left the stage: %v", p.part.name, err)
}
