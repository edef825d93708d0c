package play

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"time"
)

// A pause is for the reader. On a terminal it lasts until Enter; elsewhere, as when somebody records the play, as long
// as one needs to look round.
type pause struct {
	length time.Duration   // 0: none
	enter  <-chan struct{} // nil: not on a terminal
	out    io.Writer
	colour bool
}

const lookRound = 2 * time.Second

func newPause(o Options) *pause {
	p := &pause{length: lookRound, out: o.Out, colour: o.Colour}
	if o.Fast || o.Form != Show {
		p.length = 0
	} else if o.OnTerminal {
		p.enter = enters(o.In)
	}
	return p
}

// enters gives a token for each Enter. At the end of the input the channel is closed. The goroutine stays in its read
// until the process ends; there is no way to take it out of there.
func enters(in io.Reader) <-chan struct{} {
	c := make(chan struct{})
	go func() {
		defer close(c)
		for lines := bufio.NewScanner(in); lines.Scan(); {
			c <- struct{}{}
		}
	}()
	return c
}

func (p *pause) wait(ctx context.Context) error {
	if p.length == 0 {
		return ctx.Err()
	}
	if p.enter != nil {
		p.waitForEnter(ctx)
		return ctx.Err()
	}
	look := time.NewTimer(p.length)
	defer look.Stop()
	select {
	case <-look.C:
	case <-ctx.Done():
	}
	return ctx.Err()
}

// waitForEnter asks, and takes the question away again where the terminal can do that. Enter has moved the cursor to
// the next line, the other ways out have not. At the end of the input (Ctrl-D) all that follows is played without a
// pause.
func (p *pause) waitForEnter(ctx context.Context) {
	const question = "Enter goes on"
	if p.colour {
		fmt.Fprintf(p.out, "\n  \x1b[%sm%s\x1b[0m ", dim, question)
	} else {
		fmt.Fprintf(p.out, "\n  %s ", question)
	}
	up := 1
	select {
	case _, more := <-p.enter:
		if more {
			up = 2
		} else {
			p.length = 0
		}
	case <-ctx.Done():
		fmt.Fprintln(p.out)
		return
	}
	switch {
	case p.colour:
		fmt.Fprintf(p.out, "\x1b[%dA\r\x1b[J", up)
	case up == 1:
		fmt.Fprintln(p.out)
	}
}
