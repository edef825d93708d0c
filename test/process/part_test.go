package process

import (
	"bufio"
	"context"
	"encoding/gob"
	"fmt"
	"os"
	"strconv"

	"kbus.example/kbus"
)

// part is the actor's side: what it was given, the cues it hears, and how it speaks.
type part struct {
	args   []string
	cues   chan string
	says   *gob.Encoder
	opened []*kbus.Ksock
}

// perform runs a role in this process, which is an actor's.
func perform(role func(*part)) {
	p := &part{args: os.Args[1:], cues: make(chan string), says: gob.NewEncoder(os.Stdout)}
	go func() {
		for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
			p.cues <- lines.Text()
		}
		os.Exit(0) // the test has ended, or needs us no more
	}()
	role(p)
	for range p.cues {
	}
}

// fail ends the actor. The test notices that it says nothing more.
func (p *part) fail(what ...any) {
	fmt.Fprintln(os.Stderr, append([]any{os.Getenv(roleVariable), p.args}, what...)...)
	os.Exit(1)
}

func (p *part) must(err error) {
	if err != nil {
		p.fail(err)
	}
}

func (p *part) number(arg int) int {
	n, err := strconv.Atoi(p.args[arg])
	p.must(err)
	return n
}

func (p *part) say(v any) { p.must(p.says.Encode(v)) }

// await waits for a cue.
func (p *part) await() string { return <-p.cues }

// scene is a context that ends with the next cue.
func (p *part) scene() context.Context {
	ctx, end := context.WithCancel(context.Background())
	go func() {
		p.await()
		end()
	}()
	return ctx
}

func (p *part) open(opts ...kbus.Option) *kbus.Ksock {
	k, err := kbus.Open(context.Background(), 0, opts...)
	p.must(err)
	p.opened = append(p.opened, k) // one that is dropped is closed
	return k
}
