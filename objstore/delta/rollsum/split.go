package rollsum

const (
	// maxChunk is the longest chunk, in bytes.
	maxChunk = 32 << 10
	// window is of how many bytes the sum decides on where a chunk ends.
	window = 64
	// offset is added to each byte, so that zeros count, too.
	offset = 31
	// boundary are the bits of the sum that are set where a chunk ends: each 8 KiB, on average.
	boundary = 1<<13 - 1
)

// nextChunk returns the length of the chunk at the beginning of data, which is not empty.
func nextChunk(data []byte) int {
	data = data[:min(len(data), maxChunk)]
	first, second := uint32(window*offset), uint32(window*(window-1)*offset)
	for i, added := range data {
		dropped := uint32(0)
		if i >= window {
			dropped = uint32(data[i-window])
		}
		first += uint32(added) - dropped
		second += first - window*(dropped+offset)
		if second&boundary == boundary {
			return i + 1
		}
	}
	return len(data)
}
