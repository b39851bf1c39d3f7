package main

import (
	"fmt"
	"time"

	"deployfs/objstore"
	"deployfs/objstore/pull"
)

// pullMeter tells from time to time how far a pull has come.
type pullMeter struct {
	progress *pull.Progress
	begin    time.Time
	every    time.Duration // how often it looks; 0 or less is whenever it is asked

	looked time.Time
	last   string
}

func (m *pullMeter) text() string {
	if now := time.Now(); now.Sub(m.looked) >= m.every {
		m.looked, m.last = now, pullProgress(m.progress, now.Sub(m.begin))
	}
	return m.last
}

// pullProgress tells how far a pull has come, and how long it is going to take.
func pullProgress(p *pull.Progress, took time.Duration) string {
	fetched, left, bytes := p.Fetched.Load(), p.Left.Load(), p.Bytes.Load()
	if fetched == 0 && left == 0 {
		return fmt.Sprintf("Scanning metadata: %d", p.Scanned.Load())
	}
	text := fmt.Sprintf("Receiving objects: %d/%d", fetched, fetched+left)
	if bytes > 0 {
		text += " " + objstore.FormatSize(uint64(bytes))
	}
	if took < time.Second {
		return text
	}
	if bytes > 0 {
		text += ", " + objstore.FormatSize(uint64(float64(bytes)/took.Seconds())) + "/s"
	}
	if fetched > 0 && left > 0 {
		remains := time.Duration(float64(took) / float64(fetched) * float64(left))
		text += ", " + max(remains, time.Second).Round(time.Second).String() + " left"
	}
	return text
}
