package clients

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// A script says what a client does: one program with one Ksock, and a bus that the test plays. A line that is not indented
// is something that happens; the indented lines after it are all that the client does because of it.
//
// What the program does is "LABEL VERB WORDS": the label stands for this operation from then on. Verbs are open [PATH], find DIRECTORY
// (which opens bus 0 where $KBUS_DIR says that; those scripts are in testdata/paths, for who opens the path of a socket), close, send,
// call, next, wait, listen, bind, waitsent, discard, nummsgs, maxmsgs, reopen, pipe, flush. "limit" at the end gives the
// operation a time limit of a moment, "keep" says that an answer that
// comes too late is wanted; that is for each Call, and for "start" or open, as it is the Ksock's affair in Go. "A giveup" is the end of
// that limit: clients that can be canceled are, and the others give up by themselves. "start" is open, and the bus's welcome
// as Ksock 7.
//
// What the bus does: "bus answers LABEL CONDITION WORDS" is the result of the frame of that label, "bus says OPERATION" an event,
// "bus sends HEX" bytes that are no frame, and "bus dies" the end of the connection. Words of an answer are N (the argument),
// a message, sent=ID,REACHED,SKIPPED, id=ID, text='TEXT', hex=HEX (the payload); bytewise has each byte come by itself,
// only=N no more than so many, seq=N another sequence.
//
// A bus that has granted rings also "shows MESSAGE" in the window, "took N" says that the client has claimed so many more since,
// with "wants" somebody waits for the room of the next one, and it "rings" when the client sleeps, which tells that it does. Those scripts are in testdata/rings.
//
// What the client does: "LABEL sends OPERATION WORDS" is a frame, in the order of the lines. That of an operation of the program
// has its label; a frame with another label is known by that from then on. What a frame says of the client's own affairs
// is left out: sequence, Lazy, and how many messages it would take. And how an operation ends: "LABEL ends [N]",
// "LABEL sent ID reached N skipped N", "LABEL pending ID", "LABEL gets MESSAGE", "LABEL gets nothing", "LABEL gives up",
// "LABEL fails ERRNO [text]", where text is part of what it says. With " | " between them either will do.
//
// A message is $.NAME id=ID from=N to=N reply=ID flags=F,F missed=N data=TEXT. The bus numbers the messages that it is sent
// from 0:1.
//
// A line that is not for all clients begins with those that it is for, "[go modern]" or "[not python]", and "without CLIENT:
// WHY" leaves one out. At the end of a script the Ksock is closed: nothing more may have been sent, and what "outstanding
// LABEL..." names, and nothing else, ends in EBADF.

type step struct {
	number int // of the line
	line   string
	then   []string
}

// parse gives the steps that a script has for a door, or why it has none.
func parse(t *testing.T, file, door string) (steps []step, without string) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	skip, before := false, ""
	for i, line := range strings.Split(string(text), "\n") {
		indented := strings.HasPrefix(line, "  ")
		line, mine := forDoor(strings.TrimSpace(line), door)
		switch {
		case line == "" || line[0] == '#':
			continue
		case indented && !skip && mine:
			last := &steps[len(steps)-1]
			last.then = append(last.then, line)
		case indented:
		case strings.HasPrefix(line, "without "+door+": "):
			return nil, strings.TrimPrefix(line, "without "+door+": ")
		case strings.HasPrefix(line, "without "):
		default: // lines of one label, one after the other, are what different clients do there
			label, _, _ := strings.Cut(line, " ")
			if skip = !mine && (skip || label != before || label == "bus"); mine {
				steps = append(steps, step{i + 1, line, nil})
			}
			before = label
			continue
		}
		before = ""
	}
	return steps, ""
}

func forDoor(line, door string) (rest string, mine bool) {
	if !strings.HasPrefix(line, "[") {
		return line, true
	}
	list, rest, _ := strings.Cut(line[1:], "] ")
	names := strings.Fields(list)
	if names[0] == "not" {
		return rest, !slices.Contains(names[1:], door)
	}
	return rest, slices.Contains(names, door)
}

// player plays one script with one client.
type player struct {
	t        *testing.T
	door     *door
	client   client
	bus      *bus
	frames   map[string]frame // by label
	open     map[string]bool  // operations that have not ended
	early    []string         // operations that have given up before the script has it
	ksock    bool             // there is one
	where    string
	patience time.Duration
}

func play(t *testing.T, d *door, file string) {
	steps, why := parse(t, file, cmp.Or(d.like, d.name))
	if why != "" {
		t.Skip(why)
	}
	p := &player{t: t, door: d, bus: listen(t, d), frames: map[string]frame{}, open: map[string]bool{}, patience: *patience}
	p.client = d.start(t)
	var outstanding []string
	for _, s := range steps {
		p.where = fmt.Sprintf("%s:%d: %s", filepath.Base(file), s.number, s.line)
		words := strings.Fields(s.line)
		switch {
		case words[0] == "outstanding":
			outstanding = words[1:]
		case words[0] == "start":
			p.start(words[1:])
		case words[0] == "bus":
			p.bus.do(p, s.line)
			p.expect(s.then)
		default:
			p.operation(words)
			p.expect(s.then)
		}
	}
	p.where = filepath.Base(file) + ": the end"
	p.close(outstanding)
}

func (p *player) fatalf(format string, args ...any) {
	p.t.Helper()
	p.t.Fatalf("%s: %s\n%s", p.where, fmt.Sprintf(format, args...), p.client.said())
}

func (p *player) start(words []string) {
	p.operation(append([]string{"open", "open"}, words...))
	p.expect([]string{"open sends Hello 3"})
	p.bus.do(p, "bus answers open OK 7")
	p.expect([]string{"open ends 7"})
}

func (p *player) operation(words []string) {
	if len(words) < 2 {
		p.fatalf("an operation is LABEL VERB WORDS")
	}
	o := operation{label: words[0], verb: words[1], timeout: -1}
	if o.verb != "giveup" {
		p.open[o.label] = true
	}
	for _, word := range words[2:] {
		switch word {
		case "limit":
			o.timeout = limitMS
		case "keep":
			o.keep = true
		default:
			o.words = append(o.words, word)
		}
	}
	o.read(p)
	p.client.perform(o)
}

// expect waits for all that is to come of a step; nothing else may come.
func (p *player) expect(then []string) {
	left, early := slices.Clone(then), p.early
	p.early = nil
	for _, ended := range early {
		left = p.matchEnd(left, ended)
	}
	for len(left) > 0 {
		if f, ended := p.next(left); ended != "" {
			left = p.matchEnd(left, ended)
		} else {
			left = p.matchFrame(left, f)
		}
	}
}

// next waits for a frame, or the end of an operation.
func (p *player) next(left []string) (f frame, ended string) {
	timer := time.NewTimer(p.patience)
	defer timer.Stop()
	select {
	case f = <-p.bus.frames:
	case ended = <-p.client.ended():
		if ended == "" {
			p.fatalf("the client has ended")
		}
	case <-timer.C:
		p.fatalf("nothing more comes, and this is missing:\n  %s", strings.Join(left, "\n  "))
	}
	return f, ended
}

func (p *player) matchFrame(left []string, f frame) []string {
	i := slices.IndexFunc(left, func(line string) bool { return strings.Contains(line, " sends ") })
	said := p.request(f)
	if i < 0 {
		p.fatalf("the client sends %q, which it should not", said)
	}
	label, want, _ := strings.Cut(left[i], " sends ")
	p.frames[label] = f
	if want = canonical(p, want); want != said {
		p.fatalf("the client should send %q, and sends %q", want, said)
	}
	return slices.Delete(left, i, i+1)
}

func (p *player) matchEnd(left []string, ended string) []string {
	label, how := p.outcome(ended)
	if !p.open[label] {
		p.fatalf("%s has ended before, and now: %s", label, how)
	}
	i := slices.IndexFunc(left, func(line string) bool {
		return strings.HasPrefix(line, label+" ") && !strings.HasPrefix(line, label+" sends ")
	})
	if i < 0 && how == "gives up" { // the bus was slow, for the test was; it must have it later
		p.early = append(p.early, ended)
		return left
	}
	if i < 0 {
		p.fatalf("%s should not end now, and %s", label, how)
	}
	want := strings.TrimPrefix(left[i], label+" ")
	for either := range strings.SplitSeq(want, " | ") {
		if p.same(either, how) {
			delete(p.open, label)
			p.ksock = p.ksock || strings.HasPrefix(either, "ends ") // the first that gives a number is open
			return slices.Delete(left, i, i+1)
		}
	}
	p.fatalf("it should be: %s %s\nand is: %s %s", label, want, label, how)
	return nil
}

// same reports whether an operation has ended in one of the ways that a script has for it.
func (p *player) same(want, how string) bool {
	if want, text, hasText := strings.Cut(want, " '"); hasText {
		how, said, _ := strings.Cut(how, " '")
		return want == how && (p.door.mute || strings.Contains(said, strings.TrimSuffix(text, "'")))
	}
	how, _, _ = strings.Cut(how, " '")
	if p.door.uncounted {
		want, _, _ = strings.Cut(want, " reached ")
		how, _, _ = strings.Cut(how, " reached ")
	}
	return canonical(p, want) == how
}

// close closes the Ksock, and has a look at what it has left.
func (p *player) close(outstanding []string) {
	if !p.ksock {
		return
	}
	var then []string
	for _, label := range outstanding {
		then = append(then, label+" fails EBADF")
	}
	slices.Sort(outstanding)
	var open []string
	for label := range p.open {
		open = append(open, label)
	}
	if slices.Sort(open); !slices.Equal(open, outstanding) {
		p.fatalf("outstanding should be %q, and is %q", outstanding, open)
	}
	p.operation([]string{"close", "close"})
	p.expect(append(then, "close ends"))
	p.bus.quiet(p)
}
