package gauge

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"time"
)

// Memory is what the processes of the bus hold, alone and with idle connections.
type Memory struct {
	Plan         *Plan
	Before, With Held
}

// Held is what a process holds, in KiB. Rss is everything that is resident, Pss counts what several processes share in
// parts, and Dirty is what is its own and written to.
type Held struct{ Rss, Pss, Dirty int }

// settling is how long a bus gets to do what it does after a connection.
const afterwards = 500 * time.Millisecond

// MeasureMemory opens p.Clients connections in this process.
func MeasureMemory(p *Plan, newClient func() Client) (*Memory, error) {
	before, err := held(p.Brokers)
	if err != nil {
		return nil, err
	}
	clients := make([]Client, p.Clients)
	for i := range clients {
		clients[i] = newClient()
		if err := clients[i].Open(Idler, p); err != nil {
			return nil, fmt.Errorf("connection %d: %w", i+1, err)
		}
	}
	time.Sleep(afterwards)
	with, err := held(p.Brokers)
	runtime.KeepAlive(clients)
	return &Memory{Plan: p, Before: before, With: with}, err
}

func held(pids []int) (sum Held, err error) {
	for _, pid := range pids {
		f, err := os.Open(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
		if err != nil {
			return sum, err
		}
		for lines := bufio.NewScanner(f); lines.Scan(); {
			var key string
			var kib int
			if n, _ := fmt.Sscan(lines.Text(), &key, &kib); n < 2 {
				continue
			}
			switch key {
			case "Rss:":
				sum.Rss += kib
			case "Pss:":
				sum.Pss += kib
			case "Private_Dirty:":
				sum.Dirty += kib
			}
		}
		f.Close()
	}
	return sum, nil
}
