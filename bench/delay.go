package main

import (
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Addresses of the network namespace in which the web server runs: it is near at one, and as far as the
// delay at the other.
const (
	nearHost = "127.0.0.1"
	tunHost  = "10.99.0.1"
	farHost  = "10.99.0.2"
)

// delayLine opens a network device at whose other end farHost is: what is sent to it arrives, after a delay, at
// this same namespace, as if it came from there. So each connection to farHost is one to this namespace's
// own servers, over a line that takes the delay each way. A kernel needs no netem for it.
func delayLine(delay time.Duration) error {
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("/dev/net/tun: %w", err)
	}
	request, err := unix.NewIfreq("far")
	if err != nil {
		return err
	}
	request.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
	if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, request); err != nil {
		return fmt.Errorf("/dev/net/tun: %w", err)
	}
	line := os.NewFile(uintptr(fd), "tun")
	packets := make(chan packet, 1<<16)
	go receive(line, delay, packets)
	go deliver(line, packets)
	return nil
}

// packet is what is delivered at a time.
type packet struct {
	at   time.Time
	data []byte
}

// Where an IPv4 packet has its addresses. To swap them leaves its checksums as they are.
const (
	sourceAt      = 12
	destinationAt = 16
	payloadAt     = 20
)

func receive(line *os.File, delay time.Duration, packets chan<- packet) {
	defer close(packets)
	buf := make([]byte, 1<<16)
	for {
		n, err := line.Read(buf)
		if err != nil {
			return
		}
		if n < payloadAt || buf[0]>>4 != 4 {
			continue
		}
		data := make([]byte, n)
		copy(data, buf)
		copy(data[sourceAt:], buf[destinationAt:payloadAt])
		copy(data[destinationAt:], buf[sourceAt:destinationAt])
		packets <- packet{time.Now().Add(delay), data}
	}
}

func deliver(line *os.File, packets <-chan packet) {
	for p := range packets {
		time.Sleep(time.Until(p.at))
		if _, err := line.Write(p.data); err != nil {
			return
		}
	}
}
