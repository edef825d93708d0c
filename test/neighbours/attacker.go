package main

import (
	"fmt"
	"os"
	"strings"
	"syscall"

	"kbus.example/kbus/message"
)

// attack is something that a neighbour does. do prepares it, says ready once it is under way, and goes on until it is
// killed; it may return, and then stands still with all that it holds.
type attack struct {
	name string
	do   func(*attacker)
	dies bool // it is killed when it is ready, and that is the attack

	queueMiB    int  // that its queues may hold, if not the usual
	connections int  // that a user may have, if not the usual
	users       int  // that do it, each for itself, if not one
	device      bool // the bus is a device, too
	services    bool // there are two that can be started, see serviceFiles
	upgrades    int  // so often another daemon takes over when it is ready
}

type attacker struct{ held []*raw }

// attacks are all of them, by what they aim at.
var attacks = join(outsideAttacks, queueAttacks, workAttacks, connectionAttacks, memoryAttacks, switchAttacks, moreAttacks, nameAttacks)

func join(lists ...[]attack) (all []attack) {
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}

func beAttacker(name string) {
	for _, a := range attacks {
		if a.name == name {
			a.do(&attacker{})
			select {}
		}
	}
	fail("no attack %s", name)
}

// ready says what came of the preparations, in one line.
func (*attacker) ready(format string, args ...any) {
	fmt.Println(strings.ReplaceAll(fmt.Sprintf(format, args...), "\n", " "))
}

// open gives a Ksock that is kept. It ends the attack if there is none.
func (a *attacker) open() *raw {
	c := open(0)
	if c == nil {
		fail("the attacker is not let in")
	}
	a.held = append(a.held, c)
	return c
}

// crowd opens Ksocks until no more are granted.
func (a *attacker) crowd(most int) []*raw {
	first := len(a.held)
	for len(a.held)-first < most {
		c := open(0)
		if c == nil {
			break
		}
		a.held = append(a.held, c)
	}
	return a.held[first:]
}

func named(c message.Condition) string {
	if c == message.OK {
		return "nothing refused"
	}
	return c.Name()
}

// attackers are those who do it.
type attackers []*child

func startAttackers(d *daemon, a attack) (all attackers) {
	for i := range max(1, a.users) {
		all = append(all, startChild(d, "attacker "+a.name, attackerUID-uint32(i)))
	}
	return all
}

// ready is what the first of them says when all are.
func (all attackers) ready() (said string) {
	for i, c := range all {
		if line := c.line(); i == 0 {
			said = line
		}
	}
	return said
}

func (all attackers) kill() {
	for _, c := range all {
		c.kill()
	}
}

func (all attackers) stop() {
	for _, c := range all {
		c.stop()
	}
}

// freeze stops this process, as Ctrl-Z does.
func freeze() { syscall.Kill(os.Getpid(), syscall.SIGSTOP) }
