{{/* Caps on how many Jobs run at the same time, where the values set any. */}}
{{- define "coxswain.capEnv" -}}
{{- with .Values.queues.concurrentJobs }}
- {name: COXSWAIN_CONCURRENT_JOBS, value: {{ . | int | quote }}}
{{- end }}
{{- with .Values.queues.concurrentJobsPerWorkspace }}
- {name: COXSWAIN_CONCURRENT_JOBS_PER_WORKSPACE, value: {{ . | int | quote }}}
{{- end }}
{{- $caps := dict }}
{{- range .Values.workspaces }}
{{- if .concurrentJobs }}{{ $_ := set $caps .name (int .concurrentJobs) }}{{ end }}
{{- end }}
- {name: COXSWAIN_CONCURRENT_JOBS_BY_WORKSPACE, value: {{ $caps | toJson | quote }}}
{{- $queues := dict }}
{{- range $name, $most := .Values.queues.concurrentJobsByQueue }}{{ $_ := set $queues $name (int $most) }}{{ end }}
- {name: COXSWAIN_CONCURRENT_JOBS_BY_QUEUE, value: {{ $queues | toJson | quote }}}
{{- end }}

{{/* The shares of workspaces; the operator goes by them, and the API where it tells a place. */}}
{{- define "coxswain.weightEnv" -}}
{{- $weights := dict }}
{{- range .Values.workspaces }}
{{- if .weight }}{{ $_ := set $weights .name (int .weight) }}{{ end }}
{{- end }}
- {name: COXSWAIN_WORKSPACE_WEIGHTS, value: {{ $weights | toJson | quote }}}
{{- end }}
