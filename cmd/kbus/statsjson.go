package main

import (
	"fmt"
	"strings"
)

// The statistics report as data. It is read from the text, so the JSON cannot say anything else than the text does.

type jsonStats struct {
	Bus              uint32           `json:"bus"`
	NextKsock        uint32           `json:"next_ksock"`
	NextMessage      uint32           `json:"next_message"`
	UnsentUnbindings uint32           `json:"unsent_unbindings"`
	GoneTragic       bool             `json:"gone_tragic"`
	Ksocks           []jsonKsockStats `json:"ksocks"`
}

type jsonKsockStats struct {
	Ksock           uint32 `json:"ksock"`
	LastMessage     string `json:"last_message"`
	Queued          uint32 `json:"queued"`
	MaxMessages     uint32 `json:"max_messages"`
	ReadByte        uint32 `json:"read_byte"`
	ReadOf          uint32 `json:"read_of"`
	WroteByte       uint32 `json:"wrote_byte"`
	WroteOf         string `json:"wrote_of"`
	WriteFinished   bool   `json:"write_finished"`
	Sending         bool   `json:"sending"`
	Outstanding     uint32 `json:"outstanding"`
	OutstandingSize uint32 `json:"outstanding_size"`
	OutstandingMost uint32 `json:"outstanding_most"`
	Unreplied       uint32 `json:"unreplied"`
	UnrepliedMost   uint32 `json:"unreplied_most"`
}

// parseStats reads the report of one bus (R8.4, R8.5).
func parseStats(report string) (*jsonStats, error) {
	lines := strings.Split(strings.TrimSpace(report), "\n")
	s := &jsonStats{Ksocks: []jsonKsockStats{}}
	head, tragic := strings.CutSuffix(lines[0], "(gone tragic)")
	s.GoneTragic = tragic
	_, err := fmt.Sscanf(head, "dev %d: next ksock %d next msg %d unsent unbindings %d",
		&s.Bus, &s.NextKsock, &s.NextMessage, &s.UnsentUnbindings)
	for rest := lines[1:]; err == nil && len(rest) >= 3; rest = rest[3:] {
		var k jsonKsockStats
		k, err = parseKsockStats(rest)
		s.Ksocks = append(s.Ksocks, k)
	}
	if err != nil {
		return nil, fmt.Errorf("statistics report: %w", err)
	}
	return s, nil
}

func parseKsockStats(lines []string) (k jsonKsockStats, err error) {
	var network, serial uint32
	_, err = fmt.Sscanf(strings.TrimSpace(lines[0]), "ksock %d last msg %d:%d queue %d of %d",
		&k.Ksock, &network, &serial, &k.Queued, &k.MaxMessages)
	if err != nil {
		return k, err
	}
	k.LastMessage = fmt.Sprintf("%d:%d", network, serial)

	second := strings.TrimSpace(lines[1])
	k.WriteFinished = !strings.Contains(second, "(not finished)")
	k.Sending = !strings.HasSuffix(second, "not sending")
	_, err = fmt.Sscanf(second, "read byte %d of %d, wrote byte %d of %s",
		&k.ReadByte, &k.ReadOf, &k.WroteByte, &k.WroteOf)
	if err != nil {
		return k, err
	}
	_, err = fmt.Sscanf(strings.TrimSpace(lines[2]),
		"outstanding requests %d (size %d, max %d), unsent replies %d (max %d)",
		&k.Outstanding, &k.OutstandingSize, &k.OutstandingMost, &k.Unreplied, &k.UnrepliedMost)
	return k, err
}
