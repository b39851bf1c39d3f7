package objstore

import (
	"testing"

	"deployfs/objstore/object"
)

// eachMode runs a benchmark over a small file in a repository of each mode.
func eachMode(b *testing.B, run func(b *testing.B, r *Repo, sum object.Checksum)) {
	for _, mode := range allModes[:5] {
		b.Run(mode, func(b *testing.B) {
			repo := build(b, mode)
			content := []byte("a small file\n")
			sum := repo.content(repo.regular(content), content)
			b.ReportAllocs()
			run(b, repo.open(), sum)
		})
	}
}

func BenchmarkStat(b *testing.B) {
	eachMode(b, func(b *testing.B, r *Repo, sum object.Checksum) {
		for b.Loop() {
			if _, err := r.Stat(sum); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkContent(b *testing.B) {
	eachMode(b, func(b *testing.B, r *Repo, sum object.Checksum) {
		for b.Loop() {
			if _, err := use(r, sum); err != nil {
				b.Fatal(err)
			}
		}
	})
}
