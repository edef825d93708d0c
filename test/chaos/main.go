// Command chaos lets nine processes of all languages and doors talk on one bus, kills, stops and resumes them and the daemon
// at moments that chance chooses, and checks what each of them saw:
//
//   - a Request that was accepted is answered exactly once, by a Reply or a Status, unless its sender was killed first;
//   - no Request is taken by two, and none twice;
//   - all hear the announcements in one order, that of their ids, and what is not heard has been counted as missed.
//
// What an actor does is told in actor.go. The daemon is killed, ended in order and started anew, and upgraded, which
// nobody may notice. SEED=n
// repeats the choices (but not the moments). The last line says how it went; the exit status is 0 without violations:
//
//	chaos: kills N upgrades N requests N answered-once N orders-equal N violations 0
package main

import (
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == actorRole {
		beActor(os.Args[2:])
		return
	}
	os.Exit(run())
}

func run() int {
	kills := flag.Int("kills", 500, "how often an actor or the daemon is killed; 0: nobody is killed or stopped, there are only upgrades")
	upgrades := flag.Int("upgrades", 50, "how often another process takes over from the daemon, and nobody notices")
	bin := flag.String("bin", "bin", "directory with kbusd, kbus and c/libkbus.a")
	ofForms := flag.Bool("forms", false, "each upgrade is to a daemon that writes another form of the state, and an older one is refused after it")
	seed := flag.Uint64("seed", uint64(time.Now().UnixNano()), "of the choices; SEED in the environment is the same")
	flag.Parse()
	if n, err := strconv.ParseUint(os.Getenv("SEED"), 10, 64); err == nil {
		*seed = n
	}
	fmt.Printf("chaos: seed %d\n", *seed)
	s, err := newStage(*bin, *seed, *kills)
	if err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		return 1
	}
	defer s.clear()
	s.forms.differ = *ofForms
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-interrupted
		s.clear()
		os.Exit(1)
	}()
	if err := s.prepare(); err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		return 1
	}
	s.perform(*upgrades)
	b := &s.books
	fmt.Printf("chaos: kills %d upgrades %d requests %d answered-once %d orders-equal %d violations %d\n",
		s.killed.Load(), s.upgraded.Load(), b.requests, b.answeredOnce, b.ordersEqual, len(b.violations))
	if *kills == 0 {
		fmt.Printf("chaos: announcements heard %d, and told to be missed in full queues %d\n", b.heard, b.missed)
	}
	if *ofForms {
		fmt.Printf("chaos: each upgrade to another form of the state, up to form %d; older daemons refused %d\n", s.forms.most, s.forms.refused)
	}
	for i, v := range b.violations {
		if i == 20 {
			fmt.Println("  and more")
			break
		}
		fmt.Println("  " + v)
	}
	if len(b.violations) > 0 || b.requests == 0 || b.ordersEqual == 0 {
		return 1
	}
	return 0
}
