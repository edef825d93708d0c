package main

func ownershipCase(p *play) error { return nil }
