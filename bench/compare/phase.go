package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A phase: all peers are started, and measured by turns, round after round, so that what the machine does meanwhile meets all
// alike.

// idleClients is how many connections the memory is measured with.
var idleClients = []int{100, 1000}

// notBuilt is the exit status of a client that says that it does not exist yet.
const notBuilt = 3

var errNotBuilt = errors.New("not built")

// phase is all measurements in one mode.
type phase struct {
	*options
	site        *site
	peers       []*peer
	environment map[*peer][]string
	tests       []test
	counts      map[*peer]map[test]int
	out         io.Writer
	round       int
}

func (p *phase) run(until time.Time) error {
	for _, row := range p.peers {
		p.site.peer = row.name
		environment, err := row.start(p.site)
		if err != nil {
			return fmt.Errorf("starting %s: %w", row.name, err)
		}
		p.environment[row] = environment
		p.counts[row] = map[test]int{}
	}
	if err := p.memory(); err != nil {
		return err
	}
	if err := p.trial(); err != nil {
		return err
	}
	for p.round = 1; p.round <= p.rounds; p.round++ {
		began := time.Now()
		for _, t := range p.tests {
			for _, row := range p.peers {
				if !row.does(t) {
					continue
				}
				line, err := p.measure(row, t.arguments(p.counts[row][t]))
				if err != nil {
					return err
				}
				if err := p.write(line); err != nil {
					return err
				}
			}
		}
		p.report("round %d of %d", p.round, p.rounds)
		if took := time.Since(began); time.Now().Add(took).After(until) {
			return nil
		}
	}
	return nil
}

// memory is measured first, while the brokers are fresh.
func (p *phase) memory() error {
	for _, row := range slices.Clone(p.peers) {
		if row.noIdle {
			continue
		}
		for _, clients := range idleClients {
			line, err := p.measure(row, []string{"idle", strconv.Itoa(clients)})
			if errors.Is(err, errNotBuilt) {
				p.peers = slices.DeleteFunc(p.peers, func(q *peer) bool { return q == row })
				break
			}
			if err == nil {
				line.Consumers = clients // as of any test: so many
				err = p.write(line)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// trial finds out how many messages each peer does in the time of one measurement. What it measures is thrown away; it
// also warms everything up.
func (p *phase) trial() error {
	for _, t := range p.tests {
		for _, row := range p.peers {
			if !row.does(t) {
				continue
			}
			line, err := p.measure(row, t.arguments(t.first()))
			if err != nil {
				return err
			}
			seconds := line.Mean / 1e6
			if t.words == "pub" {
				seconds = 1 / line.Messages
			}
			p.counts[row][t] = max(int(p.each.Seconds()/seconds), t.first())
		}
	}
	p.report("trial done")
	return nil
}

func (p *phase) report(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "%s: %s\n", p.mode(), fmt.Sprintf(format, args...))
}

func (p *phase) mode() string {
	if p.site.pinned {
		return "pinned"
	}
	return "unpinned"
}

// measure runs one client, which starts the others that it needs.
func (p *phase) measure(row *peer, arguments []string) (*figure, error) {
	words := strings.Fields(row.client)
	c := p.site.command(append(p.environment[row], "PEER="+row.name), filepath.Join(p.site.work, words[0]),
		append(words[1:], arguments...)...)
	var output bytes.Buffer
	c.Stderr = &output
	line, err := c.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == notBuilt {
		return nil, errNotBuilt
	}
	if err != nil {
		return nil, fmt.Errorf("%s %v: %w\n%s", row.name, arguments, err, &output)
	}
	var f figure
	if err := json.Unmarshal(line, &f); err != nil {
		return nil, fmt.Errorf("%s %v says %q: %w", row.name, arguments, line, err)
	}
	return &f, nil
}

func (p *phase) write(f *figure) error {
	f.Mode, f.Round = p.mode(), p.round
	return writeLine(p.out, f)
}
