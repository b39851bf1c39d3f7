package keeper

import (
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

const (
	stopTime    = 5 * time.Second  // for a server's last answers
	prepareTime = 60 * time.Second // for a new server
)

// firstProgram is the lowest descriptor of a program: those below are given to the
// processes that run it.
const firstProgram = 64

// upgrade starts a new program's server beside the one that answers.
func (k *keeper) upgrade(conn *channel, file *os.File) {
	defer file.Close()
	err := k.begetHeir(file)
	if err != nil {
		conn.send(failed(err))
		conn.close()
		return
	}
	k.upgrader = conn
}

func (k *keeper) begetHeir(file *os.File) error {
	k.lookWhetherGone()
	switch {
	case k.ending() || k.gone || k.upgrader != nil || k.tell != nil:
		return &Failure{Text: "the mount is beginning, ending, or being upgraded", Remedy: "try again"}
	case k.Mortal:
		return &Failure{Text: "no other server can take over before Linux 6.9", Remedy: "unmount it and mount it again"}
	}
	fd, err := unix.FcntlInt(file.Fd(), unix.F_DUPFD_CLOEXEC, firstProgram)
	if err != nil {
		return os.NewSyscallError("dup", err)
	}
	program := os.NewFile(uintptr(fd), "program")
	heir, err := k.spawn(programPath(program), true)
	if err != nil {
		program.Close()
		return err
	}
	heir.until = time.Now().Add(prepareTime)
	k.heir, k.program = heir, program
	return nil
}

func programPath(program *os.File) string { return fmt.Sprintf("/proc/self/fd/%d", program.Fd()) }

// refuse ends an upgrade that can't be done; the old server goes on.
func (k *keeper) refuse(why error) {
	if k.heir != nil {
		k.heir.process.Kill()
		k.heir.end()
	}
	k.upgrader.send(failed(why))
	k.upgrader.close()
	k.program.Close()
	k.heir, k.upgrader, k.program = nil, nil, nil
}

// handOver has the old server stop, since the new one is prepared.
func (k *keeper) handOver(c *child) {
	switch {
	case c != k.heir:
	case k.server == nil:
		k.succeed()
	default:
		k.server.stopped, k.server.until = true, time.Now().Add(stopTime)
		if k.server.ch.trySend(message{Kind: kindStop}) != nil {
			k.server.process.Kill()
		}
	}
}

// succeed lets the new server answer. It is told again what it has to know, as
// that may have changed since it was started.
func (k *keeper) succeed() {
	k.server, k.heir = k.heir, nil
	k.server.until = time.Now().Add(prepareTime)
	m := k.start(k.Version, false)
	m.Kind = kindGo
	if k.server.ch.trySend(m) != nil {
		k.server.process.Kill()
	}
	k.note()
}

// upgraded is told when the new server answers: the keeper becomes the new
// program, too.
func (k *keeper) upgraded() {
	k.Upgrades++
	k.note()
	upgrader, program := k.upgrader, k.program
	k.upgrader, k.program = nil, nil
	k.become(program, upgrader)
	upgrader.send(message{Kind: kindReady}) // the server is upgraded all the same
	upgrader.close()
}
