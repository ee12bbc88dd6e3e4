{{- define "settlewatch.name" -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "settlewatch.selector" -}}
app.kubernetes.io/name: settlewatch
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "settlewatch.labels" -}}
{{ include "settlewatch.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}
