package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Linux counts in ticks of a hundredth of a second, whatever the kernel's own clock.
const ticksPerSecond = 100

// cpuSeconds is what the processes have used so far, in user and kernel mode.
func cpuSeconds(pids []int) (float64, error) {
	total := 0
	for _, pid := range pids {
		data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			return 0, err
		}
		// The name may hold anything, so count from the parenthesis behind it.
		text := string(data)
		fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
		for _, field := range fields[11:13] { // utime, stime
			ticks, err := strconv.Atoi(field)
			if err != nil {
				return 0, err
			}
			total += ticks
		}
	}
	return float64(total) / ticksPerSecond, nil
}
