package main

import "sync"

// news wakes those who wait for something to have happened in the play: a line that was said, a death, an end. Nobody looks
// again and again.
type news struct {
	mu      sync.Mutex
	changed sync.Cond
}

// tell is due after each change. The caller holds no lock that a question of await takes.
func (n *news) tell() {
	n.mu.Lock() // so that no change comes between a question and its wait
	defer n.mu.Unlock()
	n.changed.Broadcast()
}

// await returns when something is so.
func (n *news) await(isSo func() bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for !isSo() {
		n.changed.Wait()
	}
}
