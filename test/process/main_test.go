// Package process tests KBUS as processes: the daemon that people run, clients that are processes of their own, real
// sockets, and real ends by kill -9. It shows what no test within one process can: what the others see of a death.
//
// The clients are this test binary itself, run again as an actor (see actor_test.go). Nothing is awaited by time: the
// tests wait for messages, for words of the actors and for ends of processes, and count. How long things take is
// printed, never asserted; -process.figures=FILE collects the figures in a table. Only who waits in vain gives up after
// -process.patience, to say who was silent.
package process

import (
	"flag"
	"os"
	"testing"
	"time"
)

var (
	messagesFlag = flag.Int("process.messages", 1_000_000, "messages that the order test sends")
	pointsFlag   = flag.Int("process.points", 60, "points of a conversation at which each victim is killed")
	seedFlag     = flag.Uint64("process.seed", 1, "seed of those points")
	cyclesFlag   = flag.Int("process.cycles", 10_000, "connections that come and die")
	patienceFlag = flag.Duration("process.patience", 2*time.Minute, "how long to wait in vain, to say so in the end")
	figuresFlag  = flag.String("process.figures", "", "file to append the figures to, as a table")
)

// roles are what this binary can be as an actor.
var roles = map[string]func(*part){
	"sender":      sender,
	"listener":    listener,
	"waiter":      waiter,
	"hearer":      hearer,
	"talkHearer":  talkHearer,
	"talkReplier": talkReplier,
	"talkAsker":   talkAsker,
	"reader":      reader,
	"crowd":       crowd,
	"shortLived":  shortLived,
	"newcomer":    newcomer,
	"largeHearer": largeHearer,
	"hoarder":     hoarder,
	"echo":        echo,
	"limpet":      limpet,
}

const roleVariable = "KBUS_PROCESS_ROLE"

func TestMain(m *testing.M) {
	if role := os.Getenv(roleVariable); role != "" {
		perform(roles[role])
	}
	go startProcesses()
	code := m.Run()
	removeBuilt()
	os.Exit(code)
}
