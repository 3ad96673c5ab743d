{{- /* What every container of ours has: Pod Security restricted, and no writable root. */ -}}
{{- define "coxswain.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end }}

{{- /* Call with a uid. */ -}}
{{- define "coxswain.podSecurity" -}}
securityContext:
  runAsNonRoot: true
  runAsUser: {{ . }}
  runAsGroup: {{ . }}
  fsGroup: {{ . }}
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- /* Where a pod goes. Call with a component's values. */ -}}
{{- define "coxswain.scheduling" -}}
{{- with .nodeSelector }}
nodeSelector: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .affinity }}
affinity: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end }}

{{- /* Replicas on different nodes where there are some. Call with (list $ "component"). */ -}}
{{- define "coxswain.spread" -}}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{- include "coxswain.selector" . | nindent 8 }}
{{- end }}

{{- define "coxswain.pullSecrets" -}}
{{- with .Values.image.pullSecrets }}
imagePullSecrets: {{ toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- /* The account that a container mounts itself, because the pod mounts none. */ -}}
{{- define "coxswain.accountVolume" -}}
projected:
  sources:
    - serviceAccountToken: {path: token, expirationSeconds: 3607}
    - configMap:
        name: kube-root-ca.crt
        items: [{key: ca.crt, path: ca.crt}]
    - downwardAPI:
        items: [{path: namespace, fieldRef: {fieldPath: metadata.namespace}}]
{{- end }}

{{- /* Settings that every process has. */ -}}
{{- define "coxswain.logEnv" -}}
- {name: COXSWAIN_MODE, value: {{ .Values.mode | quote }}}
- {name: COXSWAIN_LOG_FORMAT, value: {{ .Values.log.format | quote }}}
- {name: COXSWAIN_LOG_LEVEL, value: {{ .Values.log.level | quote }}}
{{- end }}

{{- /* The address of the database with the rights of one role. Call with (list $ "role"). */ -}}
{{- define "coxswain.databaseEnv" -}}
{{- if include "coxswain.insidePostgres" (index . 0) -}}
{{- /* The Secret may be older than TLS, and is never changed; so how the server is known is said here. */ -}}
- name: DATABASE_ADDRESS
  valueFrom:
    secretKeyRef: {name: {{ include "coxswain.databaseSecret" (index . 0) }}, key: {{ index . 1 }}-dsn}
- name: COXSWAIN_DATABASE_DSN
  value: $(DATABASE_ADDRESS)?sslmode=verify-full&sslrootcert=/run/coxswain/database/ca.crt
{{- else -}}
- name: COXSWAIN_DATABASE_DSN
  valueFrom:
    secretKeyRef: {name: {{ include "coxswain.databaseSecret" (index . 0) }}, key: {{ index . 1 }}-dsn}
{{- end }}
{{- end }}

{{- /* Who signed the certificate of the database, for sslrootcert in its addresses. */ -}}
{{- define "coxswain.databaseMounts" -}}
{{- if or .Values.database.caConfigMap (include "coxswain.insidePostgres" .) }}
- {name: database-ca, mountPath: /run/coxswain/database, readOnly: true}
{{- end }}
{{- end }}

{{- define "coxswain.databaseVolumes" -}}
{{- with .Values.database.caConfigMap }}
- name: database-ca
  configMap:
    name: {{ . }}
    items: [{key: ca.crt, path: ca.crt}]
{{- end }}
{{- if include "coxswain.insidePostgres" . }}
- name: database-ca
  secret:
    secretName: {{ include "coxswain.insideSecret" (list . "postgres") }}
    items: [{key: ca.crt, path: ca.crt}]
{{- end }}
{{- end }}

{{- /* Call with a port name. */ -}}
{{- define "coxswain.probes" -}}
startupProbe:
  httpGet: {path: /healthz, port: {{ . }}}
  periodSeconds: 1
  failureThreshold: 120
livenessProbe:
  httpGet: {path: /healthz, port: {{ . }}}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 3
readinessProbe:
  httpGet: {path: /readyz, port: {{ . }}}
  periodSeconds: 2
  timeoutSeconds: 3
  failureThreshold: 2
{{- end }}
