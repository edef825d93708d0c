package gauge

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"
)

// The command line of all that measure: one form for every language and every bus.

// Usage is the command line that Command takes.
const Usage = "rtt SIZE N | pub SIZE N CONSUMERS [WINDOW] | idle CLIENTS"

// ErrUsage is for a command line that is none of those.
var ErrUsage = errors.New("usage: " + Usage)

// Command measures what a command line asks for and prints the line of figures. From the environment it takes PEER, the
// name to be printed instead of peer; BROKER_PID, the processes of the bus; and WARM, the number of messages before the
// clock starts. It begins with Child.
//
// The Go scheduler gets two processors at least. With one, on a machine that has one or is pinned to one, its monitor
// takes the processor away from a thread that waits in a system call for more than 20 us and looks for other work in
// vain: a few more wake-ups for each message. Programs on such machines do well to set GOMAXPROCS=2, too.
func Command(args []string, out io.Writer, peer string, newClient func() Client) error {
	if runtime.GOMAXPROCS(0) < 2 {
		runtime.GOMAXPROCS(2)
	}
	Child(newClient)
	test, p, err := parse(args)
	if err != nil {
		return err
	}
	if name := os.Getenv("PEER"); name != "" {
		peer = name
	}
	var figures interface{ Line(peer string) string }
	switch test {
	case "rtt":
		figures, err = MeasureRoundTrips(p, newClient)
	case "pub":
		figures, err = MeasureThroughput(p, newClient)
	case "idle":
		figures, err = MeasureMemory(p, newClient)
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, figures.Line(peer))
	return err
}

// parse reads the command line and the environment.
func parse(args []string) (test string, p *Plan, err error) {
	if len(args) == 0 {
		return "", nil, ErrUsage
	}
	test = args[0]
	least, most := 0, 0
	switch test {
	case "rtt":
		least, most = 2, 2
	case "pub":
		least, most = 3, 4
	case "idle":
		least, most = 1, 1
	}
	numbers := make([]int, 4)
	if n := len(args) - 1; n < least || n > most || most == 0 {
		return "", nil, ErrUsage
	}
	for i, a := range args[1:] {
		if numbers[i], err = strconv.Atoi(a); err != nil || numbers[i] < 0 {
			return "", nil, fmt.Errorf("%q is not a number; %w", a, ErrUsage)
		}
	}
	if test == "idle" {
		p = &Plan{Clients: numbers[0]}
	} else {
		p = &Plan{Size: numbers[0], Count: numbers[1], Consumers: numbers[2], Window: numbers[3]}
		p.WarmUp = DefaultWarmUp(p.Count, test == "rtt")
		if p.Window == 0 {
			p.Window = DefaultWindow(p.Size)
		}
		if p.Count == 0 || test == "pub" && (p.Consumers == 0 || p.Consumers > MaxConsumers) {
			return "", nil, fmt.Errorf("at least 1 message, and 1 to %d consumers; %w", MaxConsumers, ErrUsage)
		}
	}
	p.Session = os.Getpid()
	return test, p, p.environment()
}

func (p *Plan) environment() (err error) {
	if warm := os.Getenv("WARM"); warm != "" {
		if p.WarmUp, err = strconv.Atoi(warm); err != nil || p.WarmUp < 0 {
			return fmt.Errorf("WARM=%s is not a number", warm)
		}
	}
	separator := func(r rune) bool { return r == ',' || r == ' ' }
	for _, text := range strings.FieldsFunc(os.Getenv("BROKER_PID"), separator) {
		pid, err := strconv.Atoi(text)
		if err != nil {
			return fmt.Errorf("BROKER_PID=%s is not a process number", text)
		}
		p.Brokers = append(p.Brokers, pid)
	}
	return nil
}
