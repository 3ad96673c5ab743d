{{- /* Brings the database to this version before anything serves; the others wait, not ready, for it. */ -}}
{{- define "coxswain.migrateContainer" -}}
name: migrate
image: {{ .Values.image.operator }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
args: [migrate]
env:
  {{- include "coxswain.logEnv" . | nindent 2 }}
  {{- include "coxswain.databaseEnv" (list . "owner") | nindent 2 }}
  {{- range list "operator" "sidecar" "gateway" }}
  - name: COXSWAIN_{{ upper . }}_PASSWORD
    valueFrom:
      secretKeyRef: {name: {{ include "coxswain.databaseSecret" $ }}, key: {{ . }}-password, optional: true}
  {{- end }}
resources: {{- toYaml .Values.sidecar.resources | nindent 2 }}
{{ include "coxswain.containerSecurity" . }}
volumeMounts:
  {{- include "coxswain.databaseMounts" . | nindent 2 }}
  - {name: tmp, mountPath: /tmp}
{{- end }}
